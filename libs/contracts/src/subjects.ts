/** Every subject of Mailstream, built and parsed in one place; nobody else concatenates dots. */
import { hashToken, isToken, partitionOf } from './ids.ts';

/** Why an account is to be looked at. `push`: hot scopes now. `user`: all scopes now. `poll`, `retry`: whatever is due. */
export const HINT_REASONS = ['push', 'user', 'poll', 'retry'] as const;
export type HintReason = (typeof HINT_REASONS)[number];

/**
 * What is said of an account's subscription at its provider. `due`: see whether it is to be made or renewed. `renew`: ask the provider now, it has
 * ended or is about to. `reported`: a fetcher has asked, and this came of it.
 */
export const SUBSCRIPTION_EVENTS = ['due', 'renew', 'reported'] as const;
export type SubscriptionEvent = (typeof SUBSCRIPTION_EVENTS)[number];

/** `live` carries what changes now, `backfill` what was there before: separate consumers, so imports never starve live mail. */
export const LANES = ['live', 'backfill'] as const;
export type Lane = (typeof LANES)[number];

/** An account and the tenant that owns it; together they name a mailbox everywhere. */
export interface AccountRef {
  readonly tenant: string;
  readonly account: string;
}

function tokens(...parts: readonly string[]): string {
  for (const part of parts) {
    if (!isToken(part))
      throw new TypeError(
        `not a subject token (letters, digits, _ or -; at most 64): ${JSON.stringify(part)}`,
      );
  }
  return parts.join('.');
}

export const subjects = {
  hint: (at: AccountRef, reason: HintReason) => `sync.requested.${tokens(at.tenant, at.account)}.${reason}`,
  schedule: (at: AccountRef, kind: string) => `sync.schedule.${tokens(at.tenant, at.account, kind)}`,
  fetched: (at: AccountRef, scope: string) => `sync.fetched.${tokens(at.tenant, at.account, scope)}`,
  subscription: (at: AccountRef, event: SubscriptionEvent) =>
    `sync.subscription.${tokens(at.tenant, at.account)}.${event}`,
  /** Stored to see whether the server stores anything; nobody reads it. */
  probe: 'sync.probe',
  fact: (at: AccountRef, fact: string) =>
    `mail.${partitionOf(at.account)}.${tokens(at.tenant, at.account)}.${fact}`,
  cursor: (at: AccountRef, scope: string) =>
    `mail.${partitionOf(at.account)}.${tokens(at.tenant, at.account)}.cursor.${tokens(scope)}`,
  job: (provider: string, lane: Lane, account: string, scope: string) =>
    `fetch.${tokens(provider)}.${lane}.${tokens(account, scope)}`,
  /** All of an account in one lane: a filter, not an address. */
  jobsOf: (provider: string, lane: Lane, account: string) =>
    `fetch.${tokens(provider)}.${lane}.${tokens(account)}.*`,
  /** All that `SYNC` or `MAIL` has of an account: filters. */
  syncOf: (at: AccountRef) =>
    ['requested', 'schedule', 'fetched', 'subscription'].map(
      (kind) => `sync.${kind}.${tokens(at.tenant, at.account)}.*`,
    ),
  schedulesOf: (at: AccountRef) => `sync.schedule.${tokens(at.tenant, at.account)}.*`,
  factsOf: (at: AccountRef) => `mail.${partitionOf(at.account)}.${tokens(at.tenant, at.account)}.>`,
  subscriptionJob: (provider: string, account: string, verb: 'keep' | 'end') =>
    `fetch.${tokens(provider)}.subscription.${tokens(account)}.${verb}`,
  watch: (provider: string, account: string) => `watch.${tokens(provider, account)}`,
  /** The provider's id of the subscription is hashed: it may hold anything. */
  push: (provider: string, subscription: string) => `push.${tokens(provider)}.${hashToken(subscription)}`,
  partitionLease: (fold: string, partition: string) => `lease.${tokens(fold, partition)}`,
  change: (at: AccountRef, entity: string, verb: string) =>
    `changes.${tokens(at.tenant, at.account, entity, verb)}`,
  /** All changes of a tenant, or of one account, or of one kind (`message.created`): a filter, not an address. */
  changesOf: (tenant: string, account?: string, name?: string) =>
    `changes.${tokens(tenant)}.${account === undefined ? '*' : tokens(account)}.${name === undefined ? '*.*' : tokens(...name.split('.'))}`,
  /** How far a durable subscriber has come. */
  subscriber: (tenant: string, name: string) => `subscriber.${tokens(tenant, name)}`,
  relay: (target: 'mail' | 'changes', relay: string, partition: string) =>
    `relay.${target}.${tokens(relay, partition)}`,
  dead: (stream: string, reason: string) => `dead.${tokens(stream, reason)}`,
  /** Request/reply, not stored: the orchestrator's token broker. */
  credentials: (at: AccountRef) => `broker.credentials.${tokens(at.tenant, at.account)}`,
  /** Request/reply, too: whose API key it is. */
  apiKey: 'broker.api-key',
  /** And a reader of a tenant's changes; `*`: of any tenant, for who answers. */
  changesReader: (tenant: string) => `broker.changes.${tenant === '*' ? tenant : tokens(tenant)}`,
} as const;

/** What a message on the `SYNC` stream says, all of it in its subject; `null` when the subject is not one of ours. */
export type SyncSubject =
  | { readonly kind: 'hint'; readonly tenant: string; readonly account: string; readonly reason: HintReason }
  | { readonly kind: 'fetched'; readonly tenant: string; readonly account: string; readonly scope: string };

export function parseSyncSubject(subject: string): SyncSubject | null {
  const [root, kind, tenant, account, last, ...rest] = subject.split('.');
  if (root !== 'sync' || !tenant || !account || !last || rest.length > 0) return null;
  // Anybody may publish here, and NATS lets through what is no token of ours, wildcards included.
  if (![tenant, account, last].every(isToken)) return null;
  if (kind === 'requested') {
    const reason = HINT_REASONS.find((known) => known === last);
    return reason ? { kind: 'hint', tenant, account, reason } : null;
  }
  return kind === 'fetched' ? { kind: 'fetched', tenant, account, scope: last } : null;
}

/** What a message about a subscription says, but for the report in `reported`; `null` when the subject is not one of ours. */
export interface SubscriptionSubject extends AccountRef {
  readonly event: SubscriptionEvent;
}

export function parseSubscriptionSubject(subject: string): SubscriptionSubject | null {
  const [root, kind, tenant = '', account = '', last, ...rest] = subject.split('.');
  const event = SUBSCRIPTION_EVENTS.find((known) => known === last);
  if (root !== 'sync' || kind !== 'subscription' || !event || rest.length > 0) return null;
  return isToken(tenant) && isToken(account) ? { tenant, account, event } : null;
}

/** Whose a stored message is, by its subject; null where that names no tenant. */
export function tenantOf(subject: string): string | null {
  const [root = '', second = '', third = ''] = subject.split('.');
  const tenant = root === 'changes' ? second : ['mail', 'sync'].includes(root) ? third : '';
  return isToken(tenant) ? tenant : null;
}

/** The parts of a subject on the `MAIL` log; `fact` keeps its dots (`cursor.<scope>`). */
export interface FactSubject extends AccountRef {
  readonly partition: string;
  readonly fact: string;
}

export function parseFactSubject(subject: string): FactSubject | null {
  const [root, partition, tenant, account, ...fact] = subject.split('.');
  if (root !== 'mail' || !partition || !tenant || !account || fact.length === 0) return null;
  return { partition, tenant, account, fact: fact.join('.') };
}
