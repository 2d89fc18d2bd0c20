import { expect, it } from 'vitest';
import { parkedLines, parkedTable } from './parked.ts';

const event = {
  id: '12',
  stream: 'MAIL',
  sequence: '7',
  subject: 'mail.00.default.a.message.changed',
  reason: 'not-json',
  detail: 'the payload is\u001b[31m not JSON',
  parkedAt: '2026-01-10T11:59:00Z',
  payload: Buffer.from('{"x":\u001b1}').toString('base64'),
  truncated: true,
};

it('lists parked events by their ids', () => {
  expect(parkedTable([event], Date.parse('2026-01-10T12:00:00Z'), Number.POSITIVE_INFINITY)).toEqual([
    expect.stringMatching(/^ID +PARKED +STREAM +REASON$/),
    expect.stringMatching(
      /^12 +60s ago +MAIL +not-json +mail\.00\.default\.a\.message\.changed: the payload is\[31m not JSON$/,
    ),
  ]);
  expect(parkedTable([], 0, 80)).toEqual([]);
});

it('shows one with what is left of its content, harmless to a terminal', () => {
  const lines = parkedLines(event);
  expect(lines).toContainEqual(expect.stringMatching(/^sequence +7$/));
  expect(lines.slice(-2)).toEqual(['{"x":1}', '(the rest was not kept)']);
  expect(parkedLines({ ...event, payload: '' }).at(-1)).toMatch(/no content/);
});
