// Fetch jobs against a real NATS and a real Dovecot: pages land once, whoever is late is fenced, failures become facts.
import { type Bus, connectBus, type Stored } from '@mailstream/bus';
import {
  type CredentialsReply,
  type CursorAdvanced,
  type Envelope,
  type FetchJob,
  type FetchReport,
  MAILBOXES_SCOPE,
  type MailboxUpsert,
  type SyncFailed,
  subjects,
  uuidv7,
  validatorOf,
} from '@mailstream/contracts';
import { deliver, demoMail } from '@mailstream/devstack';
import { createProviders, readProvidersConfig } from '@mailstream/providers';
import { createLogger, createMetrics, readEnv } from '@mailstream/runtime';
import { createDovecot, createNats, hasDovecot, type TestDovecot, type TestNats } from '@mailstream/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fetchJob } from './fetch-job.ts';
import { createJobConsumers } from './jobs.ts';
import { createSessions } from './sessions.ts';

const USER = { user: 'ada', password: 'secret' };
const logger = createLogger('test', 'silent');
const providers = createProviders(readProvidersConfig(readEnv({ MAILSTREAM_PRIVATE_HOSTS: 'allow' })));
const stop = new AbortController();

describe.skipIf(!hasDovecot())('a fetch job', () => {
  let nats: TestNats;
  let dovecot: TestDovecot;
  let bus: Bus;
  let password = USER.password;
  let broker: Promise<void>;

  beforeAll(async () => {
    [nats, dovecot] = await Promise.all([createNats(), createDovecot({ users: [USER] })]);
    deliver(
      dovecot.maildir(USER.user),
      demoMail({ seed: 7, count: 1_200, newest: new Date('2026-01-01T00:00:00Z') }),
    );
    bus = await connectBus({ url: nats.url, name: 'test', logger });
    await bus.ensureTopology();
    broker = bus.respond('broker.credentials.*.*', 'test', credentials, stop.signal);
  });
  afterAll(async () => {
    stop.abort();
    await broker;
    await bus.close();
    await Promise.all([nats.drop(), dovecot.drop()]);
  });

  async function credentials(): Promise<CredentialsReply> {
    const settings = {
      host: dovecot.host,
      port: dovecot.port,
      secure: false,
      allowPlaintext: true,
      user: USER.user,
    };
    return { ok: true, settings, credential: { password }, credentialVersion: 1 };
  }

  const sessions = () => createSessions({ bus, providers, logger, idleMs: 1_000 });

  const newJob = (account: string, over: Partial<FetchJob> = {}): FetchJob => ({
    run: uuidv7(),
    tenant: 'default',
    account,
    provider: 'imap',
    scope: MAILBOXES_SCOPE,
    address: null,
    lane: 'live',
    reason: 'user',
    credentialVersion: 1,
    ...over,
  });

  /** What a fetcher does with a job that it took off the queue. */
  const done = async (job: FetchJob, pool = sessions()) => {
    const { endings } = await fetchJob({ bus, sessions: pool, providers }, job, stop.signal);
    for (const ending of endings) await bus.publish(ending);
  };

  async function facts(account: string): Promise<{ subject: string; event: Envelope }[]> {
    const { last } = await bus.state('MAIL');
    const found: { subject: string; event: Envelope }[] = [];
    for (let sequence = 1n; sequence <= last; sequence += 1n) {
      const stored = await bus.at('MAIL', sequence);
      if (stored?.subject.includes(account)) found.push({ subject: stored.subject, event: decode(stored) });
    }
    return found;
  }

  async function report(job: FetchJob): Promise<FetchReport> {
    const stored = await bus.last('SYNC', subjects.fetched(job, job.scope));
    return decode(stored);
  }

  async function inboxOf(account: string): Promise<{ scope: string; address: string }> {
    await done(newJob(account));
    const upserts = (await facts(account)).flatMap(({ event }) =>
      event.type === 'mailstream.mailbox.changed.v1' ? [event.data as MailboxUpsert] : [],
    );
    const inbox = upserts.find((mailbox) => mailbox.role === 'inbox');
    return { scope: inbox?.mailbox ?? '', address: inbox?.address ?? '' };
  }

  it('stores pages that the catalogue accepts, each chained to the one before', async () => {
    const account = uuidv7();
    const inbox = await inboxOf(account);
    const job = newJob(account, { ...inbox, lane: 'backfill' });
    await done(job);
    expect(await report(job)).toMatchObject({ run: job.run, outcome: 'advanced', done: true });
    let prev: string | null = null;
    const events = (await facts(account)).map(({ event }) => event);
    for (const event of events) expect(validatorOf(event.type)?.Errors(event)).toEqual([]);
    const cursors = events
      .map((event) => event.data as CursorAdvanced)
      .filter((data) => data.scope === inbox.scope);
    expect(cursors.length).toBeGreaterThan(1);
    for (const cursor of cursors) {
      expect(cursor.prev).toBe(prev);
      prev = cursor.page;
    }
  });

  it('that finds nothing stores nothing', async () => {
    const account = uuidv7();
    const inbox = await inboxOf(account);
    const pool = sessions();
    await done(newJob(account, { ...inbox, lane: 'backfill' }), pool);
    const before = await facts(account);
    const job = newJob(account, inbox);
    await done(job, pool);
    expect(await report(job)).toMatchObject({ run: job.run, outcome: 'nothing' });
    expect(await facts(account)).toHaveLength(before.length);
  });

  it('done by two fetchers at once lands once: the other is fenced', async () => {
    const account = uuidv7();
    const inbox = await inboxOf(account);
    const jobs = [
      newJob(account, { ...inbox, lane: 'backfill' }),
      newJob(account, { ...inbox, lane: 'backfill' }),
    ];
    // Reports share a subject and replace each other: the outcome is read off the log.
    await Promise.all(jobs.map((job) => done(job)));
    const events = (await facts(account)).map(({ event }) => event);
    const ids = events.flatMap((event) =>
      event.type === 'mailstream.message.changed.v1'
        ? [(event.data as { copy: { id: string } }).copy.id]
        : [],
    );
    expect(new Set(ids).size).toBe(ids.length);
    const cursors = events
      .map((event) => event.data as CursorAdvanced)
      .filter((data) => data.scope === inbox.scope);
    expect(new Set(cursors.map((cursor) => cursor.prev)).size).toBe(cursors.length);
  });

  it('is off its queue when its end is told: the next one has the same subject', async () => {
    const job = newJob(uuidv7());
    const subject = subjects.job(job.provider, job.lane, job.account, job.scope);
    const over = new AbortController();
    const deps = { bus, logger, metrics: createMetrics(), sessions: sessions(), providers };
    const consumers = createJobConsumers({ ...deps, concurrency: { live: 1, backfill: 1 } });
    const working = Promise.all(consumers.map((part) => part.run(over.signal)));
    await bus.offer('FETCH', subject, job);
    await vi.waitFor(async () => expect((await report(job)).run).toBe(job.run), 10_000);
    expect(await bus.last('FETCH', subject)).toBeNull();
    over.abort();
    await working;
  });

  it('that the provider refuses becomes a fact with its class, and no secret in it', async () => {
    password = 'wrong-and-private';
    const account = uuidv7();
    await done(newJob(account));
    password = USER.password;
    const [fact, ...more] = await facts(account);
    expect(more).toEqual([]);
    expect(fact?.event.data as SyncFailed).toMatchObject({
      failure: 'auth',
      code: 'imap.auth_rejected',
      scope: MAILBOXES_SCOPE,
    });
    expect(JSON.stringify(fact)).not.toContain('private');
  });
});

function decode<T = Envelope>(stored: Stored | null): T {
  if (!stored) throw new Error('nothing is stored there');
  return JSON.parse(new TextDecoder().decode(stored.data));
}
