/** Takes a provider's notifications: whom each is about and whether it is genuine, then one hint per account. */
import { hash, timingSafeEqual } from 'node:crypto';
import { type PushTarget, subjects } from '@mailstream/contracts';
import type { Notification } from '@mailstream/providers/webhooks';
import type { Counter } from '@mailstream/runtime';
import type { PutHint } from './hints.ts';
import type { FindTarget } from './push-targets.ts';

export interface AcceptDeps {
  readonly findTarget: FindTarget;
  readonly putHint: PutHint;
  /** By `provider` and `outcome`. */
  readonly notifications: Counter;
}

/**
 * Resolves when all that is genuine is on disk; throws when NATS did not take it, and may then be repeated. What is not genuine is counted and
 * dropped: who sends it shall not learn why.
 */
export type AcceptNotifications = (
  provider: string,
  notifications: readonly (Notification | null)[],
) => Promise<void>;

export function createAcceptNotifications(deps: AcceptDeps): AcceptNotifications {
  const { findTarget, putHint, notifications } = deps;
  return async (provider, list) => {
    const targets = await Promise.all(list.map((one) => one && findTarget(provider, one.subscription)));
    const hints = new Set<string>();
    for (const [index, one] of list.entries()) {
      const target = targets[index] ?? null;
      const outcome = judge(one, target);
      notifications.add({ provider, outcome });
      if (one && target && outcome === 'accepted') hints.add(hintOf(target, one.about));
    }
    await Promise.all([...hints].map(putHint));
  };
}

function judge(one: Notification | null, target: PushTarget | null) {
  if (!one) return 'unreadable';
  if (!target) return 'unknown_subscription';
  const genuine = timingSafeEqual(
    hash('sha256', one.secret, 'buffer'),
    Buffer.from(target.secretHash, 'hex'),
  );
  return genuine ? 'accepted' : 'wrong_secret';
}

function hintOf(target: PushTarget, about: Notification['about']): string {
  switch (about) {
    case 'changed':
      return subjects.hint(target, 'push');
    case 'missed':
      return subjects.hint(target, 'user');
    case 'ending':
      return subjects.subscription(target, 'renew');
    default:
      return about satisfies never;
  }
}
