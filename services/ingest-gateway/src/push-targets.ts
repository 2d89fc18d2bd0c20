/** Whose mailboxes a subscription is about: looked up in the stream `PUSH`, and kept for a moment. */
import type { Bus } from '@mailstream/bus';
import { type PushTarget, PushTargets, subjects } from '@mailstream/contracts';
import { Compile } from 'typebox/compile';

/** How long a subscription is known without looking again, milliseconds. */
const KEEP_MS = 10_000;
/** How long one that is not there is not looked for again, milliseconds. */
const KEEP_ABSENT_MS = 1_000;
/** Subscriptions kept, the ones looked up last. */
const CAPACITY = 20_000;

const validator = Compile(PushTargets);

/** None for a subscription that nobody knows. Throws when NATS does not answer. */
export type FindTargets = (provider: string, subscription: string) => Promise<readonly PushTarget[]>;

interface Kept {
  readonly targets: Promise<readonly PushTarget[]>;
  until: number;
}

export function createPushTargets(bus: Pick<Bus, 'last'>): FindTargets {
  const kept = new Map<string, Kept>();

  async function read(subject: string): Promise<readonly PushTarget[]> {
    const stored = await bus.last('PUSH', subject);
    if (!stored) return [];
    const value: unknown = JSON.parse(new TextDecoder().decode(stored.data));
    return validator.Check(value) ? value.targets : [];
  }

  function look(subject: string): Promise<readonly PushTarget[]> {
    const entry: Kept = { targets: read(subject), until: Date.now() + KEEP_MS };
    kept.delete(subject);
    kept.set(subject, entry);
    const [oldest] = kept.keys();
    if (kept.size > CAPACITY && oldest !== undefined) kept.delete(oldest);
    entry.targets.then(
      ({ length }) => {
        if (length === 0) entry.until = Date.now() + KEEP_ABSENT_MS;
      },
      () => {
        entry.until = 0;
      },
    );
    return entry.targets;
  }

  return (provider, subscription) => {
    const subject = subjects.push(provider, subscription);
    const known = kept.get(subject);
    return known && Date.now() < known.until ? known.targets : look(subject);
  };
}
