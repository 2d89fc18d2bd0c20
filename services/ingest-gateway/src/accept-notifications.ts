/** Takes a provider's notifications: whom each is about and whether it is genuine, then one hint per account. */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Bus } from '@mailstream/bus';
import { type PushTarget, subjects } from '@mailstream/contracts';
import type { Notification } from '@mailstream/providers/webhooks';
import type { Counter } from '@mailstream/runtime';
import { notStored, type PutHint } from './hints.ts';
import type { FindTargets } from './push-targets.ts';

export interface AcceptDeps {
  readonly connected: () => boolean;
  readonly findTargets: FindTargets;
  readonly putHint: PutHint;
  readonly schedule: Bus['schedule'];
  /** By `provider` and `outcome`. */
  readonly notifications: Counter<'mailstream.notifications'>;
}

/**
 * Resolves when all that is genuine is on disk; throws `gateway.hint_not_stored` when NATS did not take it in time, and may then be repeated.
 * What is not genuine is counted and dropped: who sends it shall not learn why.
 */
export type AcceptNotifications = (
  provider: string,
  notifications: readonly (Notification | null)[],
) => Promise<void>;

/** When what was announced is looked for once more, milliseconds. */
const ANNOUNCED_MS = 5_000;
const LOOK_AGAIN = 'announced';

/** Providers that wait longer than three seconds slow down, and in the end give up. */
const ANSWER_MS = 2_500;

export function createAcceptNotifications(deps: AcceptDeps): AcceptNotifications {
  const { connected, findTargets, putHint, schedule, notifications } = deps;

  async function accept(provider: string, list: readonly (Notification | null)[]): Promise<void> {
    const targets = await Promise.all(
      list.map((one) => (one ? findTargets(provider, one.subscription) : [])),
    );
    const hints = new Set<string>();
    const announced = new Map<string, PushTarget>();
    for (const [index, one] of list.entries()) {
      const known = targets[index] ?? [];
      const genuine = one ? known.filter((target) => proves(one.secret, target)) : [];
      notifications.add({ provider, outcome: outcomeOf(one, known, genuine) });
      for (const target of genuine) {
        if (one) hints.add(hintOf(target, one.about));
        if (one?.about === 'announced') announced.set(target.account, target);
      }
    }
    // The schedule of an earlier announcement is replaced: one more look after the last of them.
    const at = new Date(Date.now() + ANNOUNCED_MS);
    await Promise.all([
      ...hints.values().map(putHint),
      ...announced
        .values()
        .map((target) => schedule(target, LOOK_AGAIN, { at }, subjects.hint(target, 'push'))),
    ]);
  }

  return async (provider, list) => {
    if (!connected()) throw notStored(new Error('not connected to NATS'));
    await inTime(accept(provider, list));
  };
}

function outcomeOf(one: Notification | null, known: readonly PushTarget[], genuine: readonly PushTarget[]) {
  if (!one) return 'unreadable';
  if (known.length === 0) return 'unknown_subscription';
  return genuine.length > 0 ? 'accepted' : 'wrong_secret';
}

function proves(secret: string | null, { secretHash }: PushTarget): boolean {
  if (secret === null) return true;
  return timingSafeEqual(hash('sha256', secret, 'buffer'), Buffer.from(secretHash, 'hex'));
}

function hintOf(target: PushTarget, about: Notification['about']): string {
  switch (about) {
    case 'changed':
    case 'announced':
      return subjects.hint(target, 'push');
    case 'missed':
      return subjects.hint(target, 'user');
    case 'ending':
      return subjects.subscription(target, 'renew');
    default:
      return about satisfies never;
  }
}

async function inTime(accepting: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(notStored(new Error('NATS takes too long'))), ANSWER_MS);
  });
  await Promise.race([accepting, late]).finally(() => clearTimeout(timer));
}
