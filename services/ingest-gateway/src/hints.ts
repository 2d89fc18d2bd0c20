/** Stores hints for many who ask at once, with no more writes than are needed. */
import type { Bus } from '@mailstream/bus';
import { AppError, messageOf } from '@mailstream/runtime';

/**
 * Resolves with the sequence of a hint that was sent after the call, when it is on disk. Throws `gateway.hint_not_stored`, at once when NATS
 * is not there: the bus would wait for it, and whoever asks is better told.
 */
export type PutHint = (subject: string) => Promise<bigint>;

interface Write {
  readonly stored: Promise<bigint>;
  /** What comes after it, for all who ask meanwhile. */
  next: Promise<bigint> | null;
}

/**
 * One write of a subject is under way at a time, and those who ask meanwhile share the next one. They cannot share the one under way: it may
 * have been consumed already, and what they have to tell may have happened after it.
 */
export function createHintWriter(bus: Pick<Bus, 'publish' | 'connected'>): PutHint {
  const writes = new Map<string, Write>();

  async function publish(subject: string): Promise<bigint> {
    if (!bus.connected()) throw hintNotStored('not connected to NATS');
    return bus.publish({ subject, data: {} }).catch((error: unknown) => {
      throw hintNotStored(messageOf(error), error);
    });
  }

  function write(subject: string): Promise<bigint> {
    const own: Write = { stored: publish(subject), next: null };
    writes.set(subject, own);
    const settled = () => {
      if (own.next === null) writes.delete(subject);
    };
    own.stored.then(settled, settled);
    return own.stored;
  }

  return (subject) => {
    const underWay = writes.get(subject);
    if (!underWay) return write(subject);
    const again = () => write(subject);
    underWay.next ??= underWay.stored.then(again, again);
    return underWay.next;
  };
}

export function hintNotStored(why: string, cause?: unknown): AppError {
  return new AppError('gateway.hint_not_stored', 'network', `the hint was not stored: ${why}; try again`, {
    cause,
  });
}
