/** The traces of what one transaction folds: each goes on with a span of its own, though the work is done once for all of them. */
import { traceOf } from '@mailstream/bus';
import { inSpan, startSpan, type TraceParent, traceParentOf } from '@mailstream/runtime';
import type { Unit } from './page-collector.ts';

/**
 * The trace of what is said on account of the fact with this sequence; of the first page where no fact is named. Of a page with many facts, which is
 * an import and no news that anybody waits for, only what is said of its end has one: it costs as much with each event as an address does.
 */
export type TraceOf = (sequence: bigint | null) => TraceParent | undefined;

/** Facts. */
const MANY = 100;

/** Two pages of one fetch are in one trace. */
const traceId = (context: TraceParent) => context.slice(3, 35);

/**
 * Runs `work` in the trace of the first page; its span and those of the other traces link to each other. Where the log bears no context nothing is begun.
 */
export async function inPageSpans<T>(
  fold: string,
  units: readonly Pick<Unit, 'last' | 'events'>[],
  work: (of: TraceOf) => Promise<T>,
): Promise<T> {
  const pages = units.map(({ last, events }) => ({ upTo: last.sequence, events, context: traceOf(last) }));
  const [first, ...others] = new Map(
    pages.flatMap(({ context }) => (context === undefined ? [] : [[traceId(context), context] as const])),
  ).values();
  if (first === undefined) return await work(() => undefined);

  const attributes = {
    'messaging.system': 'nats',
    'messaging.destination.name': 'mail',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.batch.message_count': units.reduce((sum, { events }) => sum + events, 0),
    'mailstream.fold': fold,
  };
  const about = { kind: 'consumer', attributes } as const;
  return await inSpan('process mail', { ...about, parent: first, links: others }, async (span) => {
    const own = traceParentOf(span);
    const links = own === undefined ? [] : [own];
    const spans = others.map((parent) => startSpan('process mail', { ...about, parent, links }));
    const handedOn = new Map([span, ...spans].map((one) => [one.spanContext().traceId, traceParentOf(one)]));
    try {
      return await work((sequence) => {
        const page = sequence === null ? undefined : pageAt(pages, sequence);
        if (page && page.events > MANY && page.upTo !== sequence) return undefined;
        return page?.context === undefined ? own : handedOn.get(traceId(page.context));
      });
    } finally {
      for (const one of spans) one.end();
    }
  });
}

interface PageEnd {
  readonly upTo: bigint;
  readonly events: number;
  readonly context: TraceParent | undefined;
}

/** The one that holds the message with this sequence; by halves, because a transaction may hold hundreds of pages and say as many things. */
function pageAt(pages: readonly PageEnd[], sequence: bigint): PageEnd | undefined {
  let low = 0;
  let high = pages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const page = pages[middle];
    if (page && page.upTo < sequence) low = middle + 1;
    else high = middle;
  }
  return pages[low];
}
