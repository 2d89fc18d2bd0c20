/** Rows of subscriptions: read under a lock, written back, and searched for those that nothing is done about. */
import {
  type AccountRef,
  type AccountState,
  type FailureClass,
  isUuid,
  type PushTarget,
} from '@mailstream/contracts';
import type { Sql, Tx } from '@mailstream/db';
import { ACTIVE_STATES } from '../domain/lifecycle.ts';
import type { SubscriptionState } from '../domain/subscription.ts';

/** An account with what is known of its subscription; null: nothing was done about one yet. */
export interface Subscriber extends AccountRef {
  readonly provider: string;
  readonly credentialVersion: number;
  readonly state: AccountState;
  readonly settings: unknown;
  readonly subscription: SubscriptionState | null;
}

interface Row extends Omit<Subscriber, 'subscription'> {
  readonly id: string | null;
  readonly secretHash: string;
  readonly notificationUrl: string;
  readonly expiresAt: Date;
  /** Null: there is no row. */
  readonly dueAt: Date | null;
  readonly attempts: number;
  readonly failure: { failure: FailureClass; code: string; message: string; at: string } | null;
}

/** Locks the account until the transaction ends; null when there is none, or when it is being removed (or is not, if such a one is asked for). */
export async function lockSubscriber(
  tx: Tx,
  { tenant, account }: AccountRef,
  removing = false,
): Promise<Subscriber | null> {
  const [row] = await tx.query<Row>(
    `SELECT a.tenant, a.id::text AS account, a.provider, a.credential_version AS "credentialVersion", a.state, a.settings,
            s.id, s.secret_hash AS "secretHash", s.notification_url AS "notificationUrl", s.expires_at AS "expiresAt",
            s.due_at AS "dueAt", s.attempts, s.failure
       FROM control.account a LEFT JOIN control.subscription s ON s.account = a.id
      WHERE a.tenant = $1 AND a.id = $2 AND (a.removed_at IS NOT NULL) = $3
        FOR UPDATE OF a`,
    [tenant, isUuid(account) ? account : null, removing],
  );
  if (!row) return null;
  const { id, secretHash, notificationUrl, expiresAt, dueAt, attempts, failure, ...subscriber } = row;
  return {
    ...subscriber,
    subscription: dueAt && {
      held: id === null ? null : { id, secretHash, notificationUrl, expiresAt },
      dueAt,
      attempts,
      failure: failure && { ...failure, at: new Date(failure.at) },
    },
  };
}

export async function saveSubscription(
  tx: Tx,
  account: string,
  shared: string | null,
  { held, dueAt, attempts, failure }: SubscriptionState,
): Promise<void> {
  await tx.query(
    `INSERT INTO control.subscription (account, id, secret_hash, notification_url, expires_at, due_at, attempts, failure, shared)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (account) DO UPDATE SET
       id = excluded.id, secret_hash = excluded.secret_hash, notification_url = excluded.notification_url,
       expires_at = excluded.expires_at, due_at = excluded.due_at, attempts = excluded.attempts, failure = excluded.failure,
       shared = excluded.shared`,
    [
      account,
      held?.id ?? null,
      held?.secretHash ?? null,
      held?.notificationUrl ?? null,
      held?.expiresAt ?? null,
      dueAt,
      attempts,
      failure && JSON.stringify(failure),
      shared,
    ],
  );
}

export async function forgetSubscription(sql: Sql, account: string): Promise<void> {
  await sql.query('DELETE FROM control.subscription WHERE account = $1', [account]);
}

/** Active accounts of these providers about whose subscription nothing was done, or for which it has been due since before `overdue`. */
export async function readNeglected(
  sql: Sql,
  providers: readonly string[],
  overdue: Date,
): Promise<readonly AccountRef[]> {
  return await sql.query<AccountRef>(
    `SELECT a.tenant, a.id::text AS account
       FROM control.account a LEFT JOIN control.subscription s ON s.account = a.id
      WHERE a.removed_at IS NULL AND a.state = ANY($1::text[]) AND a.provider = ANY($2::text[])
        AND coalesce(s.due_at, '-infinity') < $3
      LIMIT 1000`,
    [ACTIVE_STATES, providers, overdue],
  );
}

/** Active accounts whose subscription tells another address than this one of their provider. */
export async function readMoved(
  sql: Sql,
  provider: string,
  notificationUrl: string,
): Promise<readonly AccountRef[]> {
  return await sql.query<AccountRef>(
    `SELECT a.tenant, a.id::text AS account
       FROM control.account a JOIN control.subscription s ON s.account = a.id
      WHERE a.removed_at IS NULL AND a.state = ANY($1::text[]) AND a.provider = $2 AND s.notification_url <> $3`,
    [ACTIVE_STATES, provider, notificationUrl],
  );
}

/** Other accounts that have one subscription together with this one. */
export async function readSharers(
  sql: Sql,
  { account, provider }: Pick<Subscriber, 'account' | 'provider'>,
  shared: string | null,
  id: string | null,
): Promise<AccountRef[]> {
  return await sql.query<AccountRef>(
    `SELECT a.tenant, a.id::text AS account
       FROM control.account a JOIN control.subscription s ON s.account = a.id
      WHERE a.removed_at IS NULL AND a.provider = $1 AND a.id <> $2 AND (s.shared = $3 OR s.id = $4)`,
    [provider, account, shared, id],
  );
}

/** By provider: active accounts whose notifications have ended, do before `soon`, or never began. */
export async function countLapsing(sql: Sql, soon: Date): Promise<ReadonlyMap<string, number>> {
  const rows = await sql.query<{ provider: string; count: number }>(
    `SELECT a.provider, count(*)::int AS count
       FROM control.account a LEFT JOIN control.subscription s ON s.account = a.id
      WHERE a.removed_at IS NULL AND a.state = ANY($1::text[]) AND coalesce(s.expires_at, '-infinity') < $2
      GROUP BY a.provider`,
    [ACTIVE_STATES, soon],
  );
  return new Map(rows.map(({ provider, count }) => [provider, count]));
}

/** A subscription by the provider's id of it. */
export interface SubscriptionRef {
  readonly provider: string;
  readonly id: string;
}

/** Whose mailbox the gateway is to know a subscription for. */
export async function readTargets(tx: Tx, { provider, id }: SubscriptionRef): Promise<PushTarget[]> {
  // Whoever reads later tells later, so that what is told last is true.
  await tx.query(
    "SELECT pg_advisory_xact_lock(hashtextextended('mailstream subscription ' || $1 || ' ' || $2, 0))",
    [provider, id],
  );
  return await tx.query<PushTarget>(
    `SELECT a.tenant, a.id::text AS account, s.secret_hash AS "secretHash"
       FROM control.account a JOIN control.subscription s ON s.account = a.id
      WHERE a.removed_at IS NULL AND a.provider = $1 AND s.id = $2
      ORDER BY a.id`,
    [provider, id],
  );
}

/** All subscriptions there are. */
export async function readSubscriptions(sql: Sql): Promise<SubscriptionRef[]> {
  return await sql.query<SubscriptionRef>(
    `SELECT DISTINCT a.provider, s.id FROM control.subscription s JOIN control.account a ON a.id = s.account
      WHERE a.removed_at IS NULL AND s.id IS NOT NULL`,
  );
}

/** How many there are. */
export async function countSubscriptions(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `SELECT count(DISTINCT (a.provider, s.id))::int AS count
       FROM control.subscription s JOIN control.account a ON a.id = s.account
      WHERE a.removed_at IS NULL AND s.id IS NOT NULL`,
  );
  return row?.count ?? 0;
}
