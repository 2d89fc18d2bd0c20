/** Whose mailboxes a subscription is about: looked up in the stream `PUSH`, and kept for a moment. */
import type { Bus } from '@mailstream/bus';
import { type PushTarget, PushTargets, subjects } from '@mailstream/contracts';
import { Compile } from 'typebox/compile';

/** How long a subscription is known without looking again, milliseconds. */
const KEEP_MS = 10_000;
/** How long one that is not there is not looked for again, milliseconds. */
const KEEP_ABSENT_MS = 1_000;
/** Subscriptions kept that are not there, the ones looked up last. Those that are there are as many as there are accounts. */
const CAPACITY = 20_000;
/** Look-ups under way at a time of what may be made up. Real ones are missed while somebody floods us with more: polls see to them. */
const MOST_LOOKUPS = 500;

const validator = Compile(PushTargets);

/** None for a subscription that nobody knows. Throws when NATS does not answer. */
export type FindTargets = (provider: string, subscription: string) => Promise<readonly PushTarget[]>;

interface Kept {
  readonly targets: readonly PushTarget[];
  readonly until: number;
}

export function createPushTargets(bus: Pick<Bus, 'last'>): FindTargets {
  const present = new Map<string, Kept>();
  const absent = new Map<string, Kept>();
  const lookups = new Map<string, Promise<readonly PushTarget[]>>();

  async function read(subject: string): Promise<readonly PushTarget[]> {
    const stored = await bus.last('PUSH', subject);
    if (!stored) return [];
    const value: unknown = JSON.parse(new TextDecoder().decode(stored.data));
    return validator.Check(value) ? value.targets : [];
  }

  function keep(subject: string, targets: readonly PushTarget[]): void {
    present.delete(subject);
    absent.delete(subject);
    if (targets.length > 0) present.set(subject, { targets, until: Date.now() + KEEP_MS });
    else absent.set(subject, { targets, until: Date.now() + KEEP_ABSENT_MS });
    const [oldest] = absent.keys();
    if (absent.size > CAPACITY && oldest !== undefined) absent.delete(oldest);
  }

  async function look(subject: string): Promise<readonly PushTarget[]> {
    try {
      const targets = await read(subject);
      keep(subject, targets);
      return targets;
    } finally {
      lookups.delete(subject);
    }
  }

  return async (provider, subscription) => {
    const subject = subjects.push(provider, subscription);
    const known = present.get(subject) ?? absent.get(subject);
    if (known && Date.now() < known.until) return known.targets;
    if (!present.has(subject) && !lookups.has(subject) && lookups.size >= MOST_LOOKUPS) return [];
    const lookup = lookups.get(subject) ?? look(subject);
    lookups.set(subject, lookup);
    return lookup;
  };
}
