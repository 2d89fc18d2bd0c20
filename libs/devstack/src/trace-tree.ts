/** A trace as text: who did what within what, when it began and how long it took. */
import type { ReceivedSpan } from './otlp-receiver.ts';

/** One line per span, parts below their whole in the order in which they began; milliseconds since the trace began, then how long. */
export function traceTree(spans: readonly ReceivedSpan[]): string {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const began = Math.min(...spans.map(({ start }) => start));
  const partsOf = (parent: ReceivedSpan | null) =>
    spans
      .filter(({ parentId }) => (parent ? parentId === parent.spanId : !known.has(parentId)))
      .toSorted((a, b) => a.start - b.start);
  const lines = (parent: ReceivedSpan | null, depth: number): string[] =>
    partsOf(parent).flatMap((span) => [
      [
        `${(span.start - began).toFixed(1)}`.padStart(8),
        `${(span.end - span.start).toFixed(1)}`.padStart(8),
        `  ${'  '.repeat(depth)}${span.name}`.padEnd(66),
        span.service,
      ].join(''),
      ...lines(span, depth + 1),
    ]);
  return lines(null, 0).join('\n');
}
