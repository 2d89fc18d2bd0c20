/** An account as it was, folded from the log, is what the view had then. */
import { type Bus, connectBus } from '@mailstream/bus';
import { envelope, type MessageView, partitionOf, subjects, uuidv7 } from '@mailstream/contracts';
import { createFold, readPositions } from '@mailstream/fold';
import { createHttpServer, createLogger, type HttpServer } from '@mailstream/runtime';
import { authenticate, createNats, type TestNats, tokenOf } from '@mailstream/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { listMessages } from '../projections/messages/read.ts';
import { projector } from '../projector.ts';
import { registerPastRoutes } from '../routes/past.ts';
import { account, TENANT } from '../testkit.ts';
import { createTestProvider } from '../testkit-provider.ts';
import { createTestView, type TestView } from '../testkit-view.ts';

const logger = createLogger('test', 'silent');
const over = new AbortController();
const ref = { tenant: TENANT, account: uuidv7() };
const token = await tokenOf();
let nats: TestNats;
let bus: Bus;
let view: TestView;
let app: HttpServer;
let folding: Promise<void>;

beforeAll(async () => {
  [nats, view] = await Promise.all([createNats(), createTestView()]);
  bus = await connectBus({ url: nats.url, name: 'past test' });
  await bus.ensureTopology();
  folding = createFold({ bus, db: view.db, logger, definition: projector, leases: 'ignored' }).run(
    over.signal,
  );
  app = await createHttpServer({ title: 'test', logger, authenticate, ready: () => true });
  registerPastRoutes(app, { bus, tenants: view.tenants });
});

afterAll(async () => {
  over.abort();
  await folding;
  await app.close();
  await bus.close();
  await Promise.all([nats.drop(), view.drop()]);
});

async function ask(path: string, bearer = token) {
  const answer = await app.inject({
    url: `/v1/past/${path}`,
    headers: { authorization: `Bearer ${bearer}` },
  });
  return { status: answer.statusCode, body: answer.json() };
}

const now = () => listMessages(view.db, { accounts: [ref.account], after: null, limit: 500 });

it('is what the view had at that place, and refuses what the log does not hold', async () => {
  const { type, data } = account('added');
  const added = { id: uuidv7(), source: '/test', type, time: new Date().toISOString(), ...ref, data };
  await bus.publish({ subject: subjects.fact(ref, 'account.added'), data: envelope<unknown>(added) });
  const provider = createTestProvider(ref);
  const own = Number(partitionOf(ref.account));
  const moments: { at: bigint; had: MessageView[] }[] = [];
  for (let round = 0; round < 8; round += 1) {
    for (let n = 0; n < 6; n += 1) provider.change(Math.random);
    for (const scope of provider.scopes) {
      const fetched = await provider.fetch(bus, scope);
      if (fetched) await bus.publishBatch(fetched.messages, fetched.fence);
    }
    const { last } = await bus.state('MAIL');
    await vi.waitFor(async () => {
      const positions = await readPositions(view.db, 'projector');
      const reached = positions.some((one) => one.partition === own && one.position >= last);
      expect(reached).toBe(true);
    }, 20_000);
    moments.push({ at: last, had: await now() });
  }
  const of = `account=${ref.account}`;
  for (const { at, had } of moments)
    expect((await ask(`messages?${of}&limit=500&at=${at}`)).body.items).toEqual(had);

  const [{ at, had } = { at: 0n, had: [] }] = moments.toSorted((a, b) => b.had.length - a.had.length);
  const [first] = had;
  expect((await ask(`messages/${first?.id}?${of}&at=${at}`)).body).toEqual(first);
  expect((await ask(`messages/${first?.id}?${of}&at=1`)).status).toBe(404);
  expect((await ask(`messages?${of}&at=2000-01-01T00:00:00Z`)).body.items).toEqual([]);
  expect((await ask(`messages?${of}&at=2100-01-01T00:00:00Z&limit=500`)).body.items).toEqual(await now());
  expect((await ask(`mailboxes?${of}&at=${at}`)).body.items).toEqual([]);
  const page = (await ask(`messages?${of}&at=${at}&limit=1`)).body;
  expect((await ask(`messages?${of}&at=${at}&limit=500&after=${page.next}`)).body.items).toEqual(
    had.slice(1),
  );
  expect((await ask(`messages?${of}&at=yesterday`)).body.error.code).toBe('api.bad_time');
  expect((await ask(`messages?${of}&at=${at}`, await tokenOf({ tenant: 'other' }))).status).toBe(404);

  await bus.purge('MAIL', subjects.fact(ref, 'account.added'));
  expect(await ask(`messages?${of}&at=${at}`)).toMatchObject({
    status: 410,
    body: { error: { code: 'fold.log_short' } },
  });
});
