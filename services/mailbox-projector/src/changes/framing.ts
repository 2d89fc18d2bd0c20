/** How changes are written to a reader: as Server-Sent Events, or as lines of JSON. Pure but for the dice of `retry`. */
import type { Position } from '@mailstream/client/stream';
import { eventIdOf } from './event-id.ts';
import type { News } from './feed.ts';
import type { Ending } from './readers.ts';

export interface Framing {
  readonly contentType: string;
  /** Says where the reader begins: what to come back with when nothing else was told. */
  begin(start: Position): string;
  news(news: News): string;
  ending(ending: Ending): string;
}

export const SERVER_SENT_EVENTS: Framing = {
  contentType: 'text/event-stream; charset=utf-8',
  begin: (start) => `retry: ${retryMs()}\nid: ${eventIdOf(start)}\n\n`,
  news: ({ entries, position }) =>
    entries
      .map((entry) => `id: ${eventIdOf(entry.position)}\nevent: ${entry.name}\ndata: ${entry.json}\n\n`)
      .join('') + (hasMoved({ entries, position }) ? `: quiet\nid: ${eventIdOf(position)}\n\n` : ''),
  ending: (ending) => `retry: ${retryMs()}\nevent: closing\ndata: ${JSON.stringify(ending)}\n\n`,
};

export const LINES: Framing = {
  contentType: 'application/x-ndjson; charset=utf-8',
  begin: (start) => `{"id":"${eventIdOf(start)}"}\n`,
  news: ({ entries, position }) =>
    entries.map((entry) => `{"id":"${eventIdOf(entry.position)}","event":${entry.json}}\n`).join('') +
    (hasMoved({ entries, position }) ? `{"id":"${eventIdOf(position)}"}\n` : ''),
  ending: (ending) => `${JSON.stringify({ closing: ending })}\n`,
};

/** Quiet readers move along too, or what they stand at would one day not be kept any more. */
function hasMoved({ entries, position }: News): boolean {
  return entries.at(-1)?.position.sequence !== position.sequence;
}

/** Not all at once when many are cut off together. */
function retryMs(): number {
  return 1_000 + Math.round(Math.random() * 4_000);
}
