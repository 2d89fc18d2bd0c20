/** The projector in the real engine: facts in the log become rows and changes; folding the log again gives the same rows and no change. */
import { type Bus, connectBus, type Stored } from '@mailstream/bus';
import { type Envelope, type HistoryPage, subjects, validatorOf } from '@mailstream/contracts';
import { migrate } from '@mailstream/db';
import { createFold, type Fold, type Page, refold } from '@mailstream/fold';
import { createHttpServer, createLogger } from '@mailstream/runtime';
import { authenticate, createNats, type TestNats, tokenOf } from '@mailstream/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { projector } from './projector.ts';
import { findAccounts } from './routes/find-account.ts';
import { registerHistoryRoute } from './routes/history.ts';
import { readVersions } from './snapshot.ts';
import { account, at, createLog, flagged, gone, mailbox, mailboxGone, seen, TENANT } from './testkit.ts';
import { createTestView, type TestView } from './testkit-view.ts';

const logger = createLogger('test', 'silent');
const log = createLog();
const stop = new AbortController();
let nats: TestNats;
let bus: Bus;
let view: TestView;
let fold: Fold;
let running: Promise<void>;

beforeAll(async () => {
  [nats, view] = await Promise.all([createNats(), createTestView()]);
  bus = await connectBus({ url: nats.url, name: 'projector test' });
  await bus.ensureTopology();
  fold = createFold({ bus, db: view.db, logger, definition: projector });
  running = fold.run(stop.signal);
});

afterAll(async () => {
  stop.abort();
  await running;
  await bus.close();
  await Promise.all([nats.drop(), view.drop()]);
});

/** Puts pages into the real log, where they get other sequences than in the log of the test. */
async function publish(...pages: readonly Page[]): Promise<void> {
  for (const { facts, cursor } of pages) {
    const all = cursor ? [...facts, cursor] : facts;
    const messages = all.map(({ event }) => ({ subject: subjectOf(event), data: event }));
    const fence = messages.at(-1)?.subject ?? '';
    const last = await bus.last('MAIL', fence);
    const outcome = await bus.publishBatch(messages, { subject: fence, sequence: last?.sequence ?? 0n });
    expect(outcome.outcome).toBe('committed');
  }
}

function subjectOf({ type, tenant, account, data }: Page['facts'][number]['event']): string {
  const ending = type.split('.').slice(1, 3).join('.');
  if ('page' in data) return subjects.cursor({ tenant, account }, data.scope);
  return subjects.fact({ tenant, account }, ending === 'account.changed' ? 'account.added' : ending);
}

/** Everything on CHANGES but the relay's own markers. */
async function changes(): Promise<{ subject: string; event: Envelope<{ version: string }> }[]> {
  const { last } = await bus.state('CHANGES');
  const all: Stored[] = [];
  const end = new AbortController();
  if (last > 0n)
    for await (const some of bus.read('CHANGES', '>', 1n, end.signal)) {
      all.push(...some);
      if ((all.at(-1)?.sequence ?? 0n) >= last) end.abort();
    }
  return all
    .filter(({ subject }) => subject.startsWith('changes.'))
    .map(({ subject, data }) => ({ subject, event: JSON.parse(new TextDecoder().decode(data)) }));
}

/** Waits until the whole log is folded and told. */
async function settled(): Promise<void> {
  await vi.waitFor(
    async () => {
      const { last } = await bus.state('MAIL');
      const lags = await fold.lag();
      expect(lags.length).toBeGreaterThan(0);
      expect(lags.every(({ lag }) => lag === 0)).toBe(true);
      expect(lags.some(({ position }) => BigInt(position) >= last)).toBe(true);
      expect(await view.db.query('select 1 from fold.outbox')).toEqual([]);
    },
    { timeout: 20_000, interval: 50 },
  );
}

it('makes rows and changes of facts, each once, each by its schema', async () => {
  await publish(
    log.alone(account('added')),
    log.page('mailboxes', [mailbox('A', { role: 'inbox' }), mailbox('B')]),
    log.page('A', [
      seen(at('A', 1)),
      seen(at('A', 2), { messageId: 'm2', references: ['lunch@example.com'] }),
    ]),
    log.page('A', [flagged(at('A', 2), ['seen'])]),
    log.page('B', [seen(at('B', 1))], { account: 'other' }),
  );
  await settled();
  const told = await changes();
  for (const { event } of told) expect(validatorOf(event.type)?.Check(event), event.type).toBe(true);
  const verbs = told.map(({ subject }) => subject.split('.').slice(2).join('.')).sort();
  const messages = verbs.filter((verb) => verb.includes('.message.'));
  expect(messages.filter((verb) => verb.endsWith('created'))).toEqual([
    'acc.message.created',
    'acc.message.created',
    'other.message.created',
  ]);
  expect(verbs).toEqual(
    expect.arrayContaining(['acc.account.added', 'acc.mailbox.created', 'acc.sync.completed']),
  );
  expect(await view.faults()).toEqual([]);
});

it('parks a fact it cannot use, says so, and goes on with the rest of its page', async () => {
  const before = (await changes()).length;
  await publish(
    log.page('A', [
      seen(at('A', 10), { messageId: 'm10' }),
      seen(at('A', 11), { messageId: 'm11', receivedAt: 'yesterday' }),
      seen(at('A', 12), { messageId: 'm12' }),
    ]),
  );
  await settled();
  const told = (await changes()).slice(before).map(({ subject }) => subject.split('.').slice(3).join('.'));
  expect(told.filter((verb) => verb === 'message.created')).toHaveLength(2);
  expect(told).toContain('message.skipped');
  const dead = await bus.last('DEAD', 'dead.>');
  expect(new TextDecoder().decode(dead?.data)).toContain('receivedAt is no time');
});

it('tells what made a message, however the pages are cut, to its tenant only', async () => {
  const app = await createHttpServer({ title: 'test', logger, authenticate, ready: () => true });
  registerHistoryRoute(app, { bus, tenants: view.tenants });
  const [message] = await view.db.query<{ id: string }>(
    "select m.id from view.message m join view.copy c on c.message = m.id where c.account = 'acc' and c.mailbox = 'A' and c.id = $1",
    [at('A', 2).id],
  );
  const read = async (query: string, tenant = TENANT) => {
    const headers = { authorization: `Bearer ${await tokenOf({ tenant })}` };
    const answer = await app.inject({ url: `/v1/messages/${message?.id}/history?${query}`, headers });
    return { status: answer.statusCode, body: answer.json<HistoryPage>() };
  };
  const { body } = await read('');
  expect(body).toMatchObject({ complete: true, next: null });
  expect(body.items.map(({ did, by, mailboxes }) => [did, by, mailboxes])).toEqual([
    ['seen', 'origin', ['A']],
    ['flags', 'copy', ['A']],
  ]);
  const paged: HistoryPage['items'] = [];
  for (let next: string | null = ''; next !== null; ) {
    const part: HistoryPage = (await read(`limit=1${next && `&after=${next}`}`)).body;
    paged.push(...part.items);
    next = part.next;
  }
  expect(paged).toEqual(body.items);
  expect((await read('', 'somebody')).status).toBe(404);
  expect((await read('after=nonsense')).status).toBe(400);
  await app.close();
});

it('lets nobody take tables that were emptied meanwhile for an empty view', async () => {
  const read = view.tenants.of(TENANT).tx(async (tx) => {
    // This transaction sees the database as it was before; truncated tables it sees empty.
    await refold(view.owner, projector.name, async (owner) => void (await owner.query(view.truncate)));
    return [await findAccounts(tx, TENANT, undefined), await readVersions(tx)];
  }, 'snapshot');
  await expect(read).rejects.toMatchObject({ code: 'api.view_behind' });
  await settled();
});

it('is the same row by row when its tables are dropped and the log is folded again, without a word', async () => {
  await publish(log.page('A', [gone(at('A', 10))]), log.page('B', [seen(at('B', 7), { messageId: 'm10' })]));
  await settled();
  const [rows, told] = [await view.rows(), await changes()];
  const [settledAt] = await view.db.query<{ at: bigint }>('select max(position) as at from fold.checkpoint');

  await refold(view.owner, projector.name, async (tx) => {
    await tx.query('drop schema view cascade');
  });
  await migrate(view.url, { schema: 'view', dir: `${import.meta.dirname}/../migrations`, logger });
  await vi.waitFor(
    async () => {
      const [now] = await view.db.query<{ at: bigint }>('select max(position) as at from fold.checkpoint');
      expect(now?.at).toBeGreaterThanOrEqual(settledAt?.at ?? 0n);
    },
    { timeout: 25_000, interval: 50 },
  );
  await settled();
  expect(await view.rows()).toEqual(rows);
  expect(await changes()).toEqual(told);
}, 60_000);

it('puts the beginning into the log for a mailbox that is gone', async () => {
  await publish(log.page('mailboxes', [mailboxGone('B')]));
  await settled();
  await vi.waitFor(
    async () => {
      const last = await bus.last('MAIL', subjects.cursor({ tenant: TENANT, account: 'acc' }, 'B'));
      expect(JSON.parse(new TextDecoder().decode(last?.data)).data).toMatchObject({ cursor: null });
    },
    { timeout: 10_000, interval: 50 },
  );
  await settled();
  const [row] = await view.db.query(
    "select page, cursor from view.cursor where account = 'acc' and scope = 'B'",
  );
  const last = await bus.last('MAIL', subjects.cursor({ tenant: TENANT, account: 'acc' }, 'B'));
  expect(row).toEqual({ page: JSON.parse(new TextDecoder().decode(last?.data)).data.page, cursor: null });
});

it('says where the view stands in a scope', async () => {
  const scopes = ['A', 'never'].map((scope) => ({ tenant: TENANT, account: 'acc', scope }));
  const cursors = await view.db.tx(async (tx) => await projector.cursors?.(tx, scopes));
  expect(cursors?.map(({ scope, cursor }) => [scope, cursor !== null])).toEqual([
    ['A', true],
    ['never', false],
  ]);
});
