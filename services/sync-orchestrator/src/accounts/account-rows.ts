/** Accounts as they are read: the row, and what the API shows of it. */
import {
  type Account,
  type AccountState,
  type FailureClass,
  REMOVAL_STEPS,
  type RemovalStep,
  type Spending,
  unitsByMethod,
} from '@mailstream/contracts';
import { adviceFor } from '../domain/advice.ts';
import type { Destination } from '../subscriptions/destinations.ts';
import { describeWebhook, type WebhookRow } from '../subscriptions/status.ts';
import type { KnownProvider } from './provider-catalog.ts';

export interface AccountRow extends WebhookRow {
  id: string;
  tenant: string;
  provider: string;
  name: string;
  settings: unknown;
  owner: string | null;
  state: AccountState;
  reason: string | null;
  credentialVersion: number;
  createdAt: Date;
  scopes: number;
  scopesBackfilled: number;
  failure: { failure: FailureClass; code: string; message: string; at: string } | null;
  attempts: number | null;
  retryAt: Date | null;
  spending: Spending | null;
  /** The next step of its removal; null: it is not removed. */
  removal: RemovalStep | null;
}

/** Of a tenant, all or one; each with the worst of its scopes' failures: the one with the most tries. */
export const SELECT_ACCOUNTS = `
SELECT a.id, a.tenant, a.provider, a.name, a.settings, a.owner, a.state, a.reason, a.created_at AS "createdAt",
       a.credential_version AS "credentialVersion", a.spending, a.removal,
       s.scopes, s.backfilled AS "scopesBackfilled", f.failure, f.attempts, f.retry_at AS "retryAt",
       w.expires_at AS "webhookUntil", w.failure->>'message' AS "webhookFailure"
  FROM control.account a
 CROSS JOIN LATERAL (SELECT count(*)::int AS scopes, (count(*) FILTER (WHERE backfilled))::int AS backfilled
                       FROM control.scope WHERE account = a.id AND path IS NOT NULL) s
  LEFT JOIN control.subscription w ON w.account = a.id
  LEFT JOIN LATERAL (SELECT failure, attempts, retry_at FROM control.scope
                      WHERE account = a.id AND failure IS NOT NULL ORDER BY attempts DESC LIMIT 1) f ON true
 WHERE a.tenant = $1 AND (a.removed_at IS NULL OR a.removal IS NOT NULL) AND ($2::uuid IS NULL OR a.id = $2)
 ORDER BY a.id`;

/** `destination`: where its provider's notifications go. */
export function toAccount(row: AccountRow, provider: KnownProvider, destination: Destination): Account {
  const connect = isSignedIn(row, provider) ? pathToConnect(row) : null;
  const retryAt = row.retryAt?.toISOString() ?? null;
  return {
    id: row.id,
    tenant: row.tenant,
    provider: row.provider,
    name: row.name,
    state: row.state,
    reason: row.reason,
    advice: adviceFor({ id: row.id, state: row.state, connect, retryAt }),
    settings: row.settings,
    push: provider.push,
    webhook: provider.push === 'webhook' ? describeWebhook(row, destination, new Date()) : null,
    createdAt: row.createdAt.toISOString(),
    credentialVersion: row.credentialVersion,
    connect,
    quota: quotaOf(row.spending, Date.now()),
    scopes: row.scopes,
    scopesBackfilled: row.scopesBackfilled,
    failure: row.failure && {
      failure: row.failure.failure,
      code: row.failure.code,
      message: row.failure.message,
      at: row.failure.at,
      attempts: row.attempts ?? 0,
      retryAt,
    },
    ...(row.removal && { removal: stepsOf(row.removal) }),
  };
}

function stepsOf(next: RemovalStep): NonNullable<Account['removal']> {
  return REMOVAL_STEPS.map((step, at) => ({ step, done: at < REMOVAL_STEPS.indexOf(next) }));
}

function quotaOf(spending: Spending | null, now: number): Account['quota'] {
  if (!spending) return null;
  const methods = unitsByMethod(spending.spent, now);
  const units = Object.values(methods).reduce((sum, one) => sum + one, 0);
  return { perMinute: spending.perMinute, units, methods };
}

/** Whether it is the account of a person who signed in; any other has the owner that its settings name, or none. */
export function isSignedIn({ owner, settings }: AccountRow, provider: KnownProvider): boolean {
  return owner !== provider.ownerOf(settings);
}

/** Where the owner of an account can sign in again. */
export function pathToConnect({ id, provider }: AccountRow): string {
  return `/v1/connect/${provider}?account=${id}`;
}
