/** A Microsoft mailbox through its life: after each step the view is what the simulator holds, and CHANGES told each change once. */
import type { Change } from '@mailstream/client';
import {
  Account,
  type AccountRef,
  type CursorAdvanced,
  type Envelope,
  EVENT_TYPES,
  envelope,
  subjects,
  uuidv7,
} from '@mailstream/contracts';
import { DEFAULT_TENANT } from '@mailstream/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChangeRecorder, countVerbs } from './change-recorder.ts';
import { type Mailbox, type System, startSystem } from './harness.ts';
import { type Microsoft, startMicrosoft } from './microsoft.ts';

const ADA = 'ada@contoso.example.com';
const BO = 'bo@contoso.example.com';
const CY = 'cy@contoso.example.com';
/** `npm run bench -- graph-import` takes 10,000. */
const MESSAGES = 3_000;

let microsoft: Microsoft;
let system: System;
let recorder: ChangeRecorder;
let ada: Mailbox;

/** Lets something happen to Ada's mailbox, waits until all is true again, and returns how often which verb was told of messages meanwhile. */
async function verbsOf(happening: () => unknown): Promise<Record<string, number>> {
  const before = recorder.changes.length;
  happening();
  await expectAllTrue();
  return messageVerbs(recorder.changes.slice(before));
}

async function expectAllTrue(timeoutMs?: number): Promise<void> {
  await system.expectViewEqualsMailbox(ada, timeoutMs);
  await system.expectChangesTellView(recorder, ada);
}

const messageVerbs = (changes: readonly Change[]) =>
  countVerbs(changes.filter(({ event }) => event.type.startsWith('mailstream.message.')));

/** The pages of imports that were asked for, each by its address; what comes after the import has a link of another kind. */
const pagesOf = (address: string) =>
  microsoft.control
    .requests()
    .filter(({ mailbox, path }) => mailbox === address && path.endsWith('/messages/delta'))
    .filter(({ query }) => !query.includes('deltatoken'))
    .map(({ path, query }) => `${path}?${query}`);

const idsIn = (folder: string, count: number) =>
  microsoft.control
    .messages({ mailbox: ADA, folder })
    .slice(0, count)
    .map(({ id }) => id);

/** Where there still is something of a removed account. */
async function leftOf(at: AccountRef): Promise<string[]> {
  const tables = [
    'view.message',
    'view.copy',
    'view.mailbox',
    'view.thread',
    'view.cursor',
    'view.run',
    'fold.chain',
  ];
  const rows = await Promise.all(
    tables.map(async (table) => {
      const found = await system.db.query(`select from ${table} where account = $1 limit 1`, [at.account]);
      return found.length > 0 ? [table] : [];
    }),
  );
  return [...rows.flat(), ...((await system.bus.last('MAIL', subjects.factsOf(at))) ? ['MAIL'] : [])];
}

/** What a fetcher stores that had stalled. */
function lastPage(at: AccountRef, scope: string): Envelope<CursorAdvanced> {
  const [time, page] = [new Date().toISOString(), uuidv7()];
  const rest = {
    origin: 'live',
    count: 0,
    done: true,
    estimate: null,
    run: 'late',
    startedAt: time,
  } as const;
  const data: CursorAdvanced = { scope, page, prev: null, cursor: {}, ...rest };
  return envelope({ id: uuidv7(), source: '/test', type: EVENT_TYPES.cursorAdvanced, time, ...at, data });
}

describe('a Microsoft mailbox', () => {
  beforeAll(async () => {
    microsoft = await startMicrosoft();
    microsoft.control.createMailbox({ address: ADA, messages: MESSAGES, locale: 'nl' });
    system = await startSystem({ env: { ...microsoft.env, MAILSTREAM_POLL_SECONDS: '3600' } });
    recorder = await system.recordChanges();
  });

  afterAll(async () => {
    await system?.stop();
    await microsoft?.stop();
  });

  it('of 3,000 messages is imported, each message told once', async () => {
    ada = await microsoft.connect(system, ADA);
    await expectAllTrue(90_000);
    expect(messageVerbs(recorder.changes)).toEqual({ 'message.created': MESSAGES });
    microsoft.control.assertContract();
  });

  it('is looked at again without a message being sent or a row being written, when nothing changed', async () => {
    const rows = () =>
      system.db.query('select id, version, xmin::text from view.message order by id limit 20000');
    const at = { tenant: DEFAULT_TENANT, account: ada.account };
    const newestFact = async () =>
      (await system.bus.last('MAIL', subjects.fact(at, 'message.changed')))?.sequence;
    const before = [await rows(), await newestFact()];
    expect(await verbsOf(() => undefined)).toEqual({});
    expect([await rows(), await newestFact()]).toEqual(before);
  });

  it('gets, loses, moves and marks 50 messages, each told once', async () => {
    const { control } = microsoft;
    const [gone, moved, read] = [
      idsIn('inbox', 10),
      idsIn('inbox', 20).slice(10),
      idsIn('inbox', 30).slice(20),
    ];
    const verbs = await verbsOf(() => {
      control.deliver({ mailbox: ADA, count: 20 });
      control.remove({ mailbox: ADA, ids: gone });
      control.move({ mailbox: ADA, ids: moved, to: 'archive' });
      control.flag({ mailbox: ADA, ids: read, flag: 'flagged' });
    });
    expect(verbs).toMatchObject({ 'message.created': 20, 'message.deleted': 10, 'message.updated': 10 });
    // One folder after the other is read: for a moment it may be in both.
    expect([10, 20]).toContain(verbs['message.moved']);
  });

  it('forgets where every folder was left, which is told of nobody', async () => {
    expect(await verbsOf(() => microsoft.control.expireCursors({ mailbox: ADA }))).toEqual({});
  });

  it('goes on with another fetcher when one stops in the middle of an import: of each folder one page at most is asked for twice', async () => {
    const { control } = microsoft;
    const stopped = system.stack.unit('provider-fetcher');
    control.createMailbox({ address: BO, messages: 2_000 });
    control.behave({ latencyMs: [100, 100] });
    const bo = await microsoft.connect(system, BO);
    await system.until('the import is under way', async () => expect(pagesOf(BO).length).toBeGreaterThan(3));
    await stopped.stop();
    expect(stopped.child().ended()).toBe('exit code 0');
    const asked = pagesOf(BO).length;
    await stopped.start();
    control.behave({ latencyMs: [0, 0] });
    await system.expectViewEqualsMailbox(bo, 60_000);
    expect(pagesOf(BO).length, 'the import was over already').toBeGreaterThan(asked + 1);
    const again = Map.groupBy(
      pagesOf(BO).filter((page, index, all) => all.indexOf(page) !== index),
      (page) => page.split('?')[0],
    );
    for (const pages of again.values()) expect(pages).toHaveLength(1);
  });

  it('is paused, then removed in the middle of its import: it stops, it is gone, and a page that comes late brings nothing back', async () => {
    const { control } = microsoft;
    control.createMailbox({ address: CY, messages: 2_000 });
    control.behave({ latencyMs: [300, 300] });
    const { account } = await microsoft.connect(system, CY);
    const [at, url] = [{ tenant: DEFAULT_TENANT, account }, `/v1/accounts/${account}`];
    const imported = (pages: number) =>
      system.until(`${pages} pages were asked for`, () => expect(pagesOf(CY).length).toBeGreaterThan(pages));
    await imported(3);
    expect((await system.rest.call('POST', `${url}/pause`)).status).toBe(200);
    await system.until('what was under way has ended', async () =>
      expect((await system.status()).pending).toMatchObject({ live: 0, backfill: 0 }),
    );
    const asked = pagesOf(CY).length;
    await system.bus.publish({ subject: subjects.hint(at, 'user'), data: {} });
    await system.until('the hint is handled', async () =>
      expect(await system.bus.last('SYNC', subjects.hint(at, 'user'))).toBeNull(),
    );
    expect(pagesOf(CY)).toHaveLength(asked);

    expect((await system.rest.call('POST', `${url}/resume`)).status).toBe(200);
    await imported(asked);
    const { scopes, scopesBackfilled } = await system.rest.get(Account, url);
    expect(scopesBackfilled, 'the import was over already').toBeLessThan(scopes);
    expect((await system.rest.call('DELETE', url)).status).toBe(202);
    await system.until('it is gone', async () =>
      expect((await system.rest.call('GET', url)).status).toBe(404),
    );
    control.behave({ latencyMs: [0, 0] });
    expect(await leftOf(at)).toEqual([]);
    await system.bus.publish({ subject: subjects.cursor(at, 'late'), data: lastPage(at, 'late') });
    await system.until('the late page is gone again', async () => expect(await leftOf(at)).toEqual([]));
    expect((await system.bus.last('CHANGES', subjects.changesOf(at.tenant, account)))?.subject).toBe(
      subjects.change(at, 'account', 'erased'),
    );
  });

  it('asks for consent when it was taken back, and for nothing else', async () => {
    microsoft.control.refuse({ mailbox: ADA, how: 'access-denied' });
    await system.sync(ada);
    await system.until('the account asks for consent', async () => {
      const { state } = await system.rest.get(Account, `/v1/accounts/${ada.account}`);
      return state === 'reauth_required';
    });
    const { reason } = await system.rest.get(Account, `/v1/accounts/${ada.account}`);
    expect(reason).toMatch(/consent/i);
  });
});
