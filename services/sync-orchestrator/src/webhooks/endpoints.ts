/** Webhook endpoints as people manage them: made, changed, paused, replayed, removed; and what was delivered to them. */
import { positionFor, type TailBus } from '@mailstream/client/stream';
import {
  uuidv7,
  type WebhookCreate,
  type WebhookCreated,
  type WebhookDelivery,
  type WebhookEndpoint,
  type WebhookRotated,
  type WebhookUpdate,
} from '@mailstream/contracts';
import type { Db, Tenants, Tx } from '@mailstream/db';
import { AppError, type Reach } from '@mailstream/runtime';
import { type Caller, recordDeed } from '../audit/trail.ts';
import type { Stored as Sealed, Vault } from '../credentials/vault.ts';
import { pauseEndpoint } from './lanes.ts';
import { knowStream } from './reader.ts';
import { newSecret, rotated, secretsIn } from './secrets.ts';

export interface EndpointsDeps {
  readonly bus: TailBus;
  readonly db: Db;
  readonly tenants: Tenants;
  readonly vault: Vault;
  readonly reach: Reach;
  /** Whether endpoints may be without TLS: for installations that reach private addresses. */
  readonly allowHttp: boolean;
}

/** All of them throw `webhook.unknown` for an endpoint that the tenant does not have. */
export interface Endpoints {
  /** It is told what comes from now on. Throws `webhook.invalid` and `host.private`. */
  create(by: Caller, request: WebhookCreate): Promise<WebhookCreated>;
  list(tenant: string): Promise<WebhookEndpoint[]>;
  get(tenant: string, id: string): Promise<WebhookEndpoint>;
  update(by: Caller, id: string, request: WebhookUpdate): Promise<WebhookEndpoint>;
  remove(by: Caller, id: string): Promise<void>;
  /** The old secret signs too, for `overlapMs`. */
  rotate(by: Caller, id: string, overlapMs: number): Promise<WebhookRotated>;
  /** Tells it again what was published since a time, as far as that is kept. */
  replay(by: Caller, id: string, since: Date): Promise<WebhookEndpoint>;
  /** In the order of the stream, the newest first. */
  deliveries(
    tenant: string,
    id: string,
    query: DeliveryQuery,
  ): Promise<{ items: WebhookDelivery[]; next: string | null }>;
  /** Tries one again that was given up. Throws `webhook.no_delivery`. */
  retry(by: Caller, id: string, event: string): Promise<void>;
}

export interface DeliveryQuery {
  readonly state: WebhookDelivery['state'] | null;
  /** `next` of the page before. */
  readonly after: string | null;
  readonly limit: number;
}

interface LockedRow extends Sealed, Pick<WebhookEndpoint, 'url' | 'name' | 'types' | 'accounts' | 'state'> {}

type EndpointRow = Omit<WebhookEndpoint, 'failingSince' | 'lostAt' | 'createdAt' | 'waiting' | 'dead'> & {
  readonly failingSince: Date | null;
  readonly lostAt: Date | null;
  readonly createdAt: Date;
  readonly waiting: bigint;
  readonly dead: bigint;
};

const SELECT = `
SELECT e.id, e.url, e.name, e.types, e.accounts, e.state, e.reason, e.failing_since AS "failingSince", e.behind, e.lost_at AS "lostAt",
       e.created_at AS "createdAt",
       (SELECT count(*) FROM control.webhook_delivery d WHERE d.endpoint = e.id AND d.state = 'waiting') AS waiting,
       (SELECT count(*) FROM control.webhook_delivery d WHERE d.endpoint = e.id AND d.state = 'dead') AS dead
  FROM control.webhook_endpoint e
 WHERE e.tenant = $1 AND ($2::uuid IS NULL OR e.id = $2) ORDER BY e.id`;

export function createEndpoints({ bus, db, tenants, vault, reach, allowHttp }: EndpointsDeps): Endpoints {
  async function get(tenant: string, id: string): Promise<WebhookEndpoint> {
    const [row] = await tenants.of(tenant).query<EndpointRow>(SELECT, [tenant, id]);
    if (!row) throw unknown(id);
    return toEndpoint(row);
  }

  function check(address: string): void {
    const url = URL.parse(address);
    const isAllowed = url?.protocol === 'https:' || (allowHttp && url?.protocol === 'http:');
    if (!url || !isAllowed) throw invalid('url: an address that begins with https://');
    if (url.username || url.password || url.hash)
      throw invalid('url: without a user, a password or a fragment');
    reach.admit(url.hostname);
  }

  /** The row, locked for the transaction. */
  async function lock(tx: Tx, tenant: string, id: string) {
    const [row] = await tx.query<LockedRow>(
      `SELECT url, name, types, accounts, state, key_id AS "keyId", data_key AS "dataKey", sealed FROM control.webhook_endpoint
        WHERE tenant = $1 AND id = $2 FOR NO KEY UPDATE`,
      [tenant, id],
    );
    if (!row) throw unknown(id);
    return row;
  }

  return {
    get,

    async create(by, { url, name = '', types = null, accounts = null }) {
      check(url);
      await knowStream(bus, db);
      const { last } = await bus.state('CHANGES');
      const id = uuidv7();
      const secret = newSecret();
      const { keyId, dataKey, sealed } = await vault.seal({ kind: 'webhook', of: id }, [
        { secret, until: null },
      ]);
      await tenants.of(by.tenant).tx(async (tx) => {
        await tx.query(
          `INSERT INTO control.webhook_endpoint (id, tenant, url, name, types, accounts, position, key_id, data_key, sealed)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
          [id, by.tenant, url, name, types, accounts, last, keyId, dataKey, sealed],
        );
        await recordDeed(tx, by, { action: 'webhook.created', detail: { endpoint: id, url } });
      });
      return { ...(await get(by.tenant, id)), secret };
    },

    async list(tenant) {
      return (await tenants.of(tenant).query<EndpointRow>(SELECT, [tenant, null])).map(toEndpoint);
    },

    async update(by, id, { state, ...request }) {
      if (request.url !== undefined) check(request.url);
      await tenants.of(by.tenant).tx(async (tx) => {
        const before = await lock(tx, by.tenant, id);
        const { url, name, types, accounts } = { ...before, ...request };
        await tx.query(
          'UPDATE control.webhook_endpoint SET url = $2, name = $3, types = $4, accounts = $5 WHERE id = $1',
          [id, url, name, types, accounts],
        );
        if (state === 'paused' && before.state === 'active') await pauseEndpoint(tx, id, 'asked');
        if (state === 'active' && before.state === 'paused') await resume(tx, id);
        await recordDeed(tx, by, {
          action: 'webhook.updated',
          detail: { endpoint: id, ...request, ...(state && { state }) },
        });
      });
      return await get(by.tenant, id);
    },

    async remove(by, id) {
      await tenants.of(by.tenant).tx(async (tx) => {
        await lock(tx, by.tenant, id);
        await tx.query('DELETE FROM control.webhook_endpoint WHERE id = $1', [id]);
        await recordDeed(tx, by, { action: 'webhook.removed', detail: { endpoint: id } });
      });
    },

    async rotate(by, id, overlapMs) {
      const until = Date.now() + overlapMs;
      return await tenants.of(by.tenant).tx(async (tx) => {
        const row = await lock(tx, by.tenant, id);
        const opened = await vault.open({ kind: 'webhook', of: id }, row);
        const secrets = rotated(secretsIn(opened.value), until);
        await tx.query('UPDATE control.webhook_endpoint SET sealed = $2 WHERE id = $1', [
          id,
          opened.reseal(secrets),
        ]);
        await recordDeed(tx, by, { action: 'webhook.rotated', detail: { endpoint: id } });
        return { secret: secrets[0]?.secret ?? '', previousUntil: new Date(until).toISOString() };
      });
    },

    async replay(by, id, since) {
      const { sequence } = await positionFor(bus, { time: since }, AbortSignal.timeout(10_000));
      await tenants.of(by.tenant).tx(async (tx) => {
        await lock(tx, by.tenant, id);
        await tx.query('UPDATE control.webhook_endpoint SET position = $2, behind = true WHERE id = $1', [
          id,
          sequence,
        ]);
        const detail = { endpoint: id, since: since.toISOString() };
        await recordDeed(tx, by, { action: 'webhook.replayed', detail });
      });
      return await get(by.tenant, id);
    },

    async deliveries(tenant, id, { state, after, limit }) {
      await get(tenant, id);
      const rows = await tenants
        .of(tenant)
        .query<Omit<WebhookDelivery, 'lastAt'> & { lastAt: Date | null; sequence: bigint }>(
          `SELECT event, account, type, state, attempts, last_at AS "lastAt", status, error, sequence FROM control.webhook_delivery
          WHERE endpoint = $1 AND ($2::text IS NULL OR state = $2) AND ($3::bigint IS NULL OR sequence < $3)
          ORDER BY sequence DESC LIMIT $4`,
          [id, state, after, limit],
        );
      const items = rows.map(({ sequence: _, lastAt, ...row }) => ({
        ...row,
        lastAt: lastAt?.toISOString() ?? null,
      }));
      return { items, next: rows.length < limit ? null : String(rows.at(-1)?.sequence) };
    },

    async retry(by, id, event) {
      await tenants.of(by.tenant).tx(async (tx) => {
        await lock(tx, by.tenant, id);
        const [dead] = await tx.query<{ account: string }>(
          `SELECT account FROM control.webhook_delivery WHERE endpoint = $1 AND event = $2 AND state = 'dead'`,
          [id, event],
        );
        if (!dead)
          throw new AppError(
            'webhook.no_delivery',
            'not_found',
            `nothing was given up under ${event}; deliveries?state=dead lists what was`,
          );
        await tx.query(
          `INSERT INTO control.webhook_lane (endpoint, account, tenant, due_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (endpoint, account) DO UPDATE SET due_at = webhook_lane.due_at`,
          [id, dead.account, by.tenant, new Date()],
        );
        await tx.query(
          `UPDATE control.webhook_delivery SET state = 'waiting', attempts = 0, first_at = NULL WHERE endpoint = $1 AND event = $2`,
          [id, event],
        );
        await recordDeed(tx, by, { action: 'webhook.replayed', detail: { endpoint: id, event } });
      });
    },
  };
}

/** It catches up with what changed meanwhile; what waited since before is tried at once. */
async function resume(tx: Tx, id: string): Promise<void> {
  await tx.query(
    "UPDATE control.webhook_endpoint SET state = 'active', reason = NULL, failing_since = NULL WHERE id = $1",
    [id],
  );
  await tx.query(
    `UPDATE control.webhook_delivery SET attempts = 0, first_at = NULL WHERE endpoint = $1 AND state = 'waiting'`,
    [id],
  );
  await tx.query('UPDATE control.webhook_lane SET due_at = $2, held_until = NULL WHERE endpoint = $1', [
    id,
    new Date(),
  ]);
}

function toEndpoint({
  failingSince,
  lostAt,
  createdAt,
  waiting,
  dead,
  ...row
}: EndpointRow): WebhookEndpoint {
  return {
    ...row,
    failingSince: failingSince?.toISOString() ?? null,
    lostAt: lostAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    waiting: Number(waiting),
    dead: Number(dead),
  };
}

function unknown(id: string): AppError {
  return new AppError(
    'webhook.unknown',
    'not_found',
    `there is no webhook endpoint ${id}; GET /v1/webhook-endpoints lists them`,
  );
}

function invalid(message: string): AppError {
  return new AppError('webhook.invalid', 'invalid', message);
}
