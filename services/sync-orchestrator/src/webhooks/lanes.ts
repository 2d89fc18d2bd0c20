/** What waits for endpoints, as rows: who takes a lane, what is next in it, what became of it. A lane is one account of one endpoint. */
import type { Db, Tx } from '@mailstream/db';
import type { Stored as Sealed } from '../credentials/vault.ts';
import type { Attempt, Verdict } from './verdict.ts';

export interface Lane {
  readonly endpoint: string;
  readonly account: string;
}

/** A change that is to be delivered now. */
export interface Delivery extends Lane, Sealed {
  readonly event: string;
  readonly tenant: string;
  readonly sequence: bigint;
  readonly storedAt: Date;
  readonly attempts: number;
  readonly firstAt: Date | null;
  readonly failingSince: Date | null;
  readonly url: string;
}

/** A lane is given to another process after so long, milliseconds: longer than an attempt takes. */
const HOLD_MS = 60_000;

/** A slow endpoint holds few of the places, however many accounts it has. Lanes of paused endpoints are never due. */
const CLAIM = `
WITH due AS (
  SELECT endpoint, account, row_number() OVER (PARTITION BY endpoint ORDER BY due_at) AS place FROM (
    SELECT * FROM control.webhook_lane
     WHERE due_at <= $1 AND (held_until IS NULL OR held_until < $1) AND NOT endpoint = ANY ($3::uuid[])
     ORDER BY due_at LIMIT 1000) soon),
taken AS (
  SELECT l.endpoint, l.account FROM control.webhook_lane l JOIN due USING (endpoint, account)
   WHERE due.place <= $4 AND l.due_at <= $1 AND (l.held_until IS NULL OR l.held_until < $1)
   ORDER BY l.due_at LIMIT $5 FOR UPDATE OF l SKIP LOCKED)
UPDATE control.webhook_lane l SET held_until = $2 FROM taken
 WHERE l.endpoint = taken.endpoint AND l.account = taken.account RETURNING l.endpoint, l.account`;

export async function claimLanes(
  db: Db,
  how: { readonly except: readonly string[]; readonly perEndpoint: number; readonly limit: number },
): Promise<Lane[]> {
  const now = Date.now();
  const until = new Date(now + HOLD_MS);
  return await db.query<Lane>(CLAIM, [new Date(now), until, how.except, how.perEndpoint, how.limit]);
}

const NEXT = `
SELECT d.endpoint, d.account, d.tenant, d.event, d.sequence, d.stored_at AS "storedAt", d.attempts, d.first_at AS "firstAt",
       e.failing_since AS "failingSince", e.url, e.key_id AS "keyId", e.data_key AS "dataKey", e.sealed
  FROM control.webhook_delivery d JOIN control.webhook_endpoint e ON e.id = d.endpoint
 WHERE d.endpoint = $1 AND d.account = $2 AND d.state = 'waiting' AND e.state = 'active' ORDER BY d.sequence LIMIT 1`;

/** Null: nothing waits, or the endpoint is paused. */
export async function nextIn(db: Db, { endpoint, account }: Lane): Promise<Delivery | null> {
  const [next] = await db.query<Delivery>(NEXT, [endpoint, account]);
  return next ?? null;
}

const RECORD = `
UPDATE control.webhook_delivery SET state = $3, attempts = attempts + 1, first_at = coalesce(first_at, $4), last_at = $4,
       status = $5, error = $6
 WHERE endpoint = $1 AND event = $2`;

/** Of the endpoint as a whole: when it began to fail, or that it works. Written when that changes. */
const FAILING =
  'UPDATE control.webhook_endpoint SET failing_since = $2 WHERE id = $1 AND failing_since IS NULL';
const WORKING =
  'UPDATE control.webhook_endpoint SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL';

/** Stores what came of an attempt. Returns whether the next one in the lane may be tried at once. */
export async function record(
  db: Db,
  delivery: Delivery,
  attempt: Attempt,
  verdict: Verdict,
  now: Date,
): Promise<boolean> {
  const { endpoint, event } = delivery;
  const state = verdict.kind === 'delivered' || verdict.kind === 'dead' ? verdict.kind : 'waiting';
  return await db.tx(async (tx) => {
    if (verdict.kind === 'delivered') await tx.query(WORKING, [endpoint]);
    else if (verdict.kind !== 'dead') await tx.query(FAILING, [endpoint, now]);
    // Lanes before deliveries, as whoever puts changes up does.
    if (verdict.kind === 'retry') await letGo(tx, delivery, new Date(now.getTime() + verdict.inMs));
    else if (verdict.kind === 'pause') await pauseEndpoint(tx, endpoint, verdict.reason);
    else await hold(tx, delivery, now);
    await tx.query(RECORD, [endpoint, event, state, now, attempt.status, attempt.error]);
    return state !== 'waiting';
  });
}

async function hold(tx: Tx, { endpoint, account }: Lane, now: Date): Promise<void> {
  await tx.query('UPDATE control.webhook_lane SET held_until = $3 WHERE endpoint = $1 AND account = $2', [
    endpoint,
    account,
    new Date(now.getTime() + HOLD_MS),
  ]);
}

async function letGo(tx: Tx, { endpoint, account }: Lane, dueAt: Date): Promise<void> {
  await tx.query(
    'UPDATE control.webhook_lane SET held_until = NULL, due_at = $3 WHERE endpoint = $1 AND account = $2',
    [endpoint, account, dueAt],
  );
}

/**
 * What comes is no longer put up for it: it is told when it goes on. Its lanes are never due meanwhile. Changes of `reason` only when it is active.
 */
export async function pauseEndpoint(tx: Tx, endpoint: string, reason: string): Promise<void> {
  // In the order of the reader, which moves on first.
  await tx.query('SELECT sequence FROM control.webhook_reader FOR UPDATE');
  await tx.query(
    `UPDATE control.webhook_endpoint SET state = 'paused', reason = $2, behind = true,
            position = CASE WHEN behind THEN position ELSE greatest(position, (SELECT sequence FROM control.webhook_reader)) END
      WHERE id = $1 AND state = 'active'`,
    [endpoint, reason],
  );
  await tx.query(
    "UPDATE control.webhook_lane SET due_at = 'infinity', held_until = NULL WHERE endpoint = $1",
    [endpoint],
  );
}

/** Gives a lane back of which nothing is to be told now; it goes when nothing waits in it. */
export async function release(db: Db, { endpoint, account }: Lane): Promise<void> {
  await db.tx(async (tx) => {
    const [lane] = await tx.query(
      'SELECT due_at FROM control.webhook_lane WHERE endpoint = $1 AND account = $2 FOR UPDATE',
      [endpoint, account],
    );
    if (!lane) return;
    await tx.query(
      `DELETE FROM control.webhook_lane l WHERE endpoint = $1 AND account = $2 AND NOT EXISTS (
         SELECT FROM control.webhook_delivery d WHERE d.endpoint = $1 AND d.account = $2 AND d.state = 'waiting')`,
      [endpoint, account],
    );
    await tx.query('UPDATE control.webhook_lane SET held_until = NULL WHERE endpoint = $1 AND account = $2', [
      endpoint,
      account,
    ]);
  });
}
