/** What one reader is sent: first what it missed, read for it alone, then what is read for all. */
import {
  filtersOf,
  type Position,
  type Selection,
  type TailBus,
  tailStored,
} from '@mailstream/client/stream';
import type { Turns } from '@mailstream/runtime';
import { entryOf, type Feed, isSelected, type News } from './feed.ts';

/** Sent at once, bytes: what a reader may be owed in memory. */
const CHUNK_BYTES = 128 * 1_024;

export interface FollowDeps {
  readonly bus: TailBus;
  readonly feed: Feed;
  /** So many may read what they missed at a time. */
  readonly turns: Turns;
}

/**
 * Yields what comes after `from`, and now and then, when that is nothing for `quietMs`, how far the reader has come. Ends when `signal` aborts. Throws `ChangesLostError`, and
 * `BusError` when the server refuses for good. Nothing waits in memory for a reader that is slow: it is asked for when it can be sent.
 */
export async function* follow(
  { bus, feed, turns }: FollowDeps,
  selection: Selection,
  from: Position,
  quietMs: number,
  signal: AbortSignal,
): AsyncGenerator<News, void> {
  let position = from;
  let woken = Promise.withResolvers<void>();
  const wake = () => woken.resolve();
  const leave = feed.join(selection, wake);
  signal.addEventListener('abort', wake);
  try {
    while (!signal.aborted) {
      woken = Promise.withResolvers();
      const news = feed.after(position, selection, CHUNK_BYTES);
      if (news === 'behind') {
        const part = await turns(() => readPart(bus, selection, position, signal));
        position = part.position;
        yield part;
      } else if (news !== 'starting' && news.entries.length > 0) {
        position = news.position;
        yield news;
      } else {
        const isQuiet = await quietFor(quietMs, woken.promise);
        if (news !== 'starting') position = news.position;
        if (isQuiet && !signal.aborted) yield { entries: [], position };
      }
    }
  } finally {
    signal.removeEventListener('abort', wake);
    leave();
  }
}

/** The next of what was missed: some changes, or none up to a place further on. */
async function readPart(
  bus: TailBus,
  selection: Selection,
  from: Position,
  signal: AbortSignal,
): Promise<News> {
  const filters = filtersOf(selection);
  const entries: News['entries'][number][] = [];
  let position = from;
  let bytes = 0;
  for await (const arrived of tailStored(bus, filters, from, signal, PART_MS)) {
    for (const stored of arrived.stored) {
      const entry = entryOf(arrived.position, stored);
      position = entry.position;
      if (!isSelected(selection, entry)) continue;
      entries.push(entry);
      bytes += entry.json.length;
      if (bytes >= CHUNK_BYTES) return { entries, position };
    }
    const isRead = arrived.stored.length === 0 && arrived.position.sequence > from.sequence;
    position = arrived.position;
    if (isRead || signal.aborted) break;
  }
  return { entries, position };
}

/** Nothing for so long: all that was missed is read, milliseconds. */
const PART_MS = 100;

/** Whether nobody called within the time. */
async function quietFor(ms: number, called: Promise<void>): Promise<boolean> {
  const quiet = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => quiet.resolve(true), ms);
  return await Promise.race([called.then(() => false), quiet.promise]).finally(() => clearTimeout(timer));
}
