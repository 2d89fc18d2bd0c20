/** Ids of streamed events: a place in `CHANGES` as one text, which a reader brings back to go on from there. Pure. */
import type { Position } from '@mailstream/client/stream';

/** The stream's identity and the time of the message are part of it, so that a stream made anew or restored is noticed. */
export function eventIdOf({ stream, sequence, storedAt }: Position): string {
  return `${sequence}_${storedAt === null ? '' : Date.parse(storedAt)}_${stream}`;
}

const EVENT_ID = /^(\d{1,19})_(\d{1,15})?_([\w.:+-]{1,64})$/;

/** Null: it is no id of ours. */
export function parseEventId(text: string): Position | null {
  const [, sequence, ms, stream] = EVENT_ID.exec(text) ?? [];
  if (sequence === undefined || stream === undefined) return null;
  return {
    stream,
    sequence: BigInt(sequence),
    storedAt: ms === undefined ? null : new Date(Number(ms)).toISOString(),
  };
}
