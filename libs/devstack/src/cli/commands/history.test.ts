import { expect, it } from 'vitest';
import type { Context } from '../command.ts';
import { history, historyTable } from './history.ts';

it('says of each fact what it said and where the message was then', () => {
  const step = { at: '2026-01-10T12:00:00Z', event: 'p.0', type: 'mailstream.message.changed.v1', data: {} };
  const [, first, second] = historyTable(
    [
      { ...step, sequence: '7', by: 'origin', did: 'seen', mailboxes: ['a', 'b'] },
      { ...step, sequence: '12', by: 'copy', did: 'removed', mailboxes: [] },
    ],
    Number.POSITIVE_INFINITY,
  );
  expect(first).toMatch(/^7 +2026-01-10 \d\d:\d\d +seen +by origin +a, b +mailstream\.message/);
  expect(second).toMatch(/^12 .*removed +by copy +\(nowhere\)/);
  expect(historyTable([], 80)).toEqual([]);
});

it('says where ids are found when it is given something else', async () => {
  const nobody = () => {
    throw new Error('nobody is to be asked');
  };
  const { signal } = new AbortController();
  const context: Context = { stack: nobody, api: nobody, out: nobody, note: nobody, width: 80, signal };
  await expect(history.run(['2026-11-21'], context)).rejects.toThrow('`messages --json` shows them');
});
