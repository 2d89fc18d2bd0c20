/** Whose mailbox a subscription is about: looked up in the stream `PUSH`, and kept for a moment. */
import type { Bus } from '@mailstream/bus';
import { PushTarget, subjects } from '@mailstream/contracts';
import { Compile } from 'typebox/compile';

/** How long a subscription is known without looking again, milliseconds. */
const KEEP_MS = 10_000;
/** How long one that is not there is not looked for again, milliseconds. */
const KEEP_ABSENT_MS = 1_000;
/** Subscriptions kept, the ones looked up last. */
const CAPACITY = 20_000;

const validator = Compile(PushTarget);

/** Null for a subscription that nobody knows. Throws when NATS does not answer. */
export type FindTarget = (provider: string, subscription: string) => Promise<PushTarget | null>;

interface Kept {
  readonly target: Promise<PushTarget | null>;
  until: number;
}

export function createPushTargets(bus: Pick<Bus, 'last'>): FindTarget {
  const kept = new Map<string, Kept>();

  async function read(subject: string): Promise<PushTarget | null> {
    const stored = await bus.last('PUSH', subject);
    if (!stored) return null;
    const value: unknown = JSON.parse(new TextDecoder().decode(stored.data));
    return validator.Check(value) ? value : null;
  }

  function look(subject: string): Promise<PushTarget | null> {
    const entry: Kept = { target: read(subject), until: Date.now() + KEEP_MS };
    kept.delete(subject);
    kept.set(subject, entry);
    const [oldest] = kept.keys();
    if (kept.size > CAPACITY && oldest !== undefined) kept.delete(oldest);
    entry.target.then(
      (target) => {
        if (target === null) entry.until = Date.now() + KEEP_ABSENT_MS;
      },
      () => {
        entry.until = 0;
      },
    );
    return entry.target;
  }

  return (provider, subscription) => {
    const subject = subjects.push(provider, subscription);
    const known = kept.get(subject);
    return known && Date.now() < known.until ? known.target : look(subject);
  };
}
