// Which trace an event of a fold belongs to.
import { TRACEPARENT } from '@mailstream/runtime';
import { expect, it } from 'vitest';
import { inPageSpans } from './page-spans.ts';

const traceIdOf = (n: number) => `${n}`.repeat(32);
const page = (upTo: bigint, events: number, trace: number) => ({
  events,
  last: {
    stream: 'MAIL',
    subject: 'mail.0.default.account.cursor.inbox',
    sequence: upTo,
    time: new Date(0),
    data: new Uint8Array(),
    headers: { [TRACEPARENT]: `00-${traceIdOf(trace)}-b7ad6b7169203331-01` },
  },
});

const tracesOf = (pages: readonly ReturnType<typeof page>[], sequences: readonly (bigint | null)[]) =>
  inPageSpans('test', pages, async (of) => sequences.map((sequence) => of(sequence)?.slice(3, 35)));

it('is that of the page with its fact; where no fact is named that of the first page', async () => {
  const pages = [page(3n, 3, 1), page(5n, 2, 2)];
  const traces = await tracesOf(pages, [1n, 3n, 4n, 5n, null]);
  expect(traces).toEqual([1, 1, 2, 2, 1].map(traceIdOf));
});

it('is none in a page of many facts, but for what is said of its end', async () => {
  const pages = [page(500n, 500, 1), page(502n, 2, 2)];
  const traces = await tracesOf(pages, [1n, 499n, 500n, 501n]);
  expect(traces).toEqual([undefined, undefined, traceIdOf(1), traceIdOf(2)]);
});
