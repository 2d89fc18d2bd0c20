import { expect, it } from 'vitest';
import { historyTable } from './history.ts';

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
