// Removal on a real NATS and PostgreSQL: interrupted after each step it goes on, leaves nothing behind, and nothing brings the account back.
import {
  type Account,
  type AccountRef,
  type AuditEntry,
  type CursorAdvanced,
  EVENT_TYPES,
  envelope,
  LANES,
  partitionOf,
  REMOVAL_STEPS,
  type RemovalStep,
  subjects,
  uuidv7,
} from '@mailstream/contracts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorld, type World } from '../testkit.ts';

const SETTINGS = { host: 'imap.example.com', secure: true, user: 'ada@example.com' };
const CREDENTIAL = { password: 'canary-password' };

let world: World;
/** After these the process is as good as dead: what it did is not noted. */
const deadly = new Set<RemovalStep>();
/** What happens after a step, once. */
const meanwhile = new Map<RemovalStep, () => Promise<unknown>>();

beforeAll(async () => {
  world = await startWorld({}, async (step) => {
    const happening = meanwhile.get(step);
    meanwhile.delete(step);
    await happening?.();
    if (deadly.delete(step)) throw new Error(`died after ${step}`);
  });
});
afterAll(() => world.stop());

async function add(): Promise<AccountRef> {
  const { body } = await world.call('POST', '/v1/accounts', {
    provider: 'imap',
    settings: SETTINGS,
    credential: CREDENTIAL,
  });
  return { tenant: 'default', account: body.id };
}

/** A page as a fetcher stores it. */
function storePage(at: AccountRef): Promise<bigint> {
  const now = new Date().toISOString();
  const data: CursorAdvanced = {
    scope: 'inbox',
    page: uuidv7(),
    prev: null,
    cursor: {},
    origin: 'live',
    count: 0,
    done: true,
    estimate: null,
    run: 'r',
    startedAt: now,
  };
  const type = EVENT_TYPES.cursorAdvanced;
  const event = envelope({ id: uuidv7(), source: '/test', type, time: now, ...at, data });
  return world.bus.publish({ subject: subjects.cursor(at, 'inbox'), data: event });
}

async function untilFolded({ account }: AccountRef, sequence: bigint): Promise<void> {
  await vi.waitFor(async () => {
    const position = `SELECT FROM fold.checkpoint WHERE fold = 'orchestrator' AND partition = $1 AND position >= $2`;
    expect(await world.db.query(position, [Number(partitionOf(account)), sequence])).toHaveLength(1);
  }, 20_000);
}

/** Where there is something of an account, but for the trail and what is told of its end. */
async function leftovers(at: AccountRef): Promise<string[]> {
  const filters = [
    ['MAIL', subjects.factsOf(at)],
    ...subjects.syncOf(at).map((filter) => ['SYNC', filter]),
    ...LANES.map((lane) => ['FETCH', subjects.jobsOf('imap', lane, at.account)]),
    ['WATCH', subjects.watch('imap', at.account)],
    ['CHANGES', subjects.change(at, 'message', 'created')],
    ['CHANGES', subjects.change(at, 'account', 'added')],
  ] as const;
  const streams = await Promise.all(
    filters.map(async ([stream, filter]) =>
      (await world.bus.last(stream as 'MAIL', filter as string)) ? [`${stream} ${filter}`] : [],
    ),
  );
  const tables = await world.db.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname IN ('control', 'fold') AND tablename <> 'audit'`,
  );
  const rows = await Promise.all(
    tables.map(async ({ name }) => {
      const found = await world.db.query(`SELECT FROM ${name} t WHERE strpos(t::text, $1) > 0`, [at.account]);
      return found.length > 0 ? [name] : [];
    }),
  );
  return [...streams, ...rows].flat();
}

async function fill(at: AccountRef): Promise<void> {
  await storePage(at);
  for (const [entity, verb] of [['message', 'created'] as const, ['account', 'added'] as const])
    await world.bus.publish({ subject: subjects.change(at, entity, verb), data: {} });
}

describe('an account that is removed', () => {
  it('leaves nothing, whatever it was interrupted after', { timeout: 60_000 }, async () => {
    const at = await add();
    await fill(at);
    const there = await leftovers(at);
    for (const place of ['MAIL', 'SYNC', 'FETCH', 'WATCH', 'CHANGES', 'control.account', 'control.scope'])
      expect(there.join()).toContain(place);
    for (const step of REMOVAL_STEPS) deadly.add(step);
    const url = `/v1/accounts/${at.account}`;
    for (const begun of await Promise.all([world.call('DELETE', url), world.call('DELETE', url)])) {
      expect(begun).toMatchObject({ status: 202, body: { state: 'removing' } });
      expect(begun.body.removal?.map(({ step }) => step)).toEqual(REMOVAL_STEPS);
    }
    await world.bus.publish({ subject: subjects.hint(at, 'push'), data: {} });
    expect(await world.call('POST', `${url}/resume`)).toMatchObject({
      status: 409,
      body: { error: { code: 'account.removing' } },
    });
    await world.remove(at.account);
    expect([...deadly]).toEqual([]);
    expect(await leftovers(at)).toEqual([]);
    expect((await world.call('DELETE', url)).status).toBe(404);
    expect(await world.bus.last('DEAD', 'dead.*.unknown-account')).toBeNull();
    expect(await world.bus.last('CHANGES', subjects.change(at, 'account', 'erased'))).not.toBeNull();
    const trail = await world.call<{ items: AuditEntry[] }>('GET', `/v1/audit?account=${at.account}`);
    expect(trail.body.items.map(({ action }) => action)).toEqual([
      'account.erased',
      'account.removed',
      'account.connected',
    ]);
  });

  it('is not brought back by a late page, a late hint, a schedule that was left', async () => {
    const at = await add();
    await world.remove(at.account);
    await storePage(at);
    await vi.waitFor(async () => expect(await leftovers(at)).toEqual([]), 20_000);
    await world.bus.schedule(at, 'poll', { everyMs: 1_000 }, subjects.hint(at, 'poll'));
    for (const reason of ['push', 'user'] as const)
      await world.bus.publish({ subject: subjects.hint(at, reason), data: {} });
    await vi.waitFor(async () => expect(await leftovers(at)).toEqual([]), 20_000);
    expect(await world.bus.last('DEAD', 'dead.*.unknown-account')).toBeNull();
    expect(await world.credentialsOf(at.account)).toMatchObject({ ok: false, code: 'account.unknown' });
  });

  it('is not brought back by a page that lands when its events were just deleted', async () => {
    const at = await add();
    meanwhile.set('log', async () => untilFolded(at, await storePage(at)));
    await world.remove(at.account);
    await vi.waitFor(async () => expect(await leftovers(at)).toEqual([]), 20_000);
  });

  it('is let alone when it is merely unknown: with an empty database nobody empties the log', async () => {
    const at = { tenant: 'default', account: uuidv7() };
    const [page, other] = [await storePage(at), await add()];
    await untilFolded(at, page);
    await world.remove(other.account);
    expect((await world.bus.last('MAIL', subjects.cursor(at, 'inbox')))?.sequence).toBe(page);
  });

  it('while it is paused is removed alike, and its neighbour stays', async () => {
    const [at, other] = [await add(), await add()];
    await storePage(other);
    await world.call('POST', `/v1/accounts/${at.account}/pause`);
    await world.remove(at.account);
    expect(await leftovers(at)).toEqual([]);
    const { items } = (await world.call<{ items: Account[] }>('GET', '/v1/accounts')).body;
    expect(items.map(({ id }) => id)).toEqual([other.account]);
    expect(await world.bus.last('MAIL', subjects.cursor(other, 'inbox'))).not.toBeNull();
  });
});
