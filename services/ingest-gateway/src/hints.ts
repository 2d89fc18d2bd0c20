/** Stores hints for many who ask at once, with no more writes than are needed. */
import type { Bus } from '@mailstream/bus';
import { AppError, activeTrace, messageOf, TRACEPARENT } from '@mailstream/runtime';

/**
 * Resolves with the sequence of a hint that was sent after the call, when it is on disk. Throws `gateway.hint_not_stored`, at once when NATS
 * is not there: the bus would wait for it, and whoever asks is better told.
 */
export type PutHint = (subject: string) => Promise<bigint>;

/**
 * Writes under way one by one. More than that wait, those with the same hint for the same write, and are then written together: a batch costs
 * the server as much as ten single hints, and hardly more when it holds a hundred. So a slow disk makes batches larger, not the queue longer.
 */
const SINGLY = 16;
const LARGEST_BATCH = 500;

interface Waiting extends PromiseWithResolvers<bigint> {
  /** The trace of who asked first; who shares the write is only answered. */
  readonly headers: Readonly<Record<string, string>>;
}

export function createHintWriter(bus: Pick<Bus, 'publish' | 'publishBatch' | 'connected'>): PutHint {
  const waiting = new Map<string, Waiting>();
  /** A flood for one account waits for the write that is under way, and is one more after it. */
  const writing = new Set<string>();
  let batching = false;

  function take(count: number) {
    const taken = [...waiting.entries().take(count)];
    for (const [subject] of taken) waiting.delete(subject);
    return taken;
  }

  async function writeOne(subject: string, { resolve, reject, headers }: Waiting): Promise<void> {
    waiting.delete(subject);
    writing.add(subject);
    await bus
      .publish({ subject, data: {}, headers })
      .then(resolve, (error: unknown) => reject(notStored(error)));
    writing.delete(subject);
    writeOn();
  }

  async function writeMany(): Promise<void> {
    batching = true;
    const hints = take(LARGEST_BATCH);
    try {
      const messages = hints.map(([subject, { headers }]) => ({ subject, data: {}, headers }));
      const result = await bus.publishBatch(messages, null);
      if (result.outcome !== 'committed') throw new Error(`NATS is ${result.outcome}`);
      const first = result.sequence - BigInt(hints.length - 1);
      for (const [index, [, { resolve }]] of hints.entries()) resolve(first + BigInt(index));
    } catch (error) {
      for (const [, { reject }] of hints) reject(notStored(error));
    }
    batching = false;
    writeOn();
  }

  function writeOn(): void {
    if (waiting.size > SINGLY && !batching) void writeMany();
    if (waiting.size > SINGLY) return;
    for (const [subject, write] of waiting)
      if (!writing.has(subject) && writing.size < SINGLY) void writeOne(subject, write);
  }

  return async (subject) => {
    if (!bus.connected()) throw notStored(new Error('not connected to NATS'));
    const write = waiting.get(subject) ?? { ...Promise.withResolvers<bigint>(), headers: traceHeaders() };
    waiting.set(subject, write);
    writeOn();
    return write.promise;
  };
}

function traceHeaders(): Waiting['headers'] {
  const trace = activeTrace();
  return trace === undefined ? {} : { [TRACEPARENT]: trace };
}

export function notStored(cause: unknown): AppError {
  const message = `the hint was not stored: ${messageOf(cause)}; try again`;
  return new AppError('gateway.hint_not_stored', 'network', message, { cause });
}
