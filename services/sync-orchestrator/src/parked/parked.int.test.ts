// Parked events: seen by their tenant only, put back so that a fold takes them, or dropped; and the audit trail says by whom.
import {
  type AuditEntry,
  EVENT_TYPES,
  envelope,
  type ParkedEvent,
  type ParkedRetried,
  subjects,
  uuidv7,
} from '@mailstream/contracts';
import { createFold, type FoldDefinition } from '@mailstream/fold';
import { AppError, createLogger } from '@mailstream/runtime';
import { tokenOf } from '@mailstream/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../testkit.ts';

const at = { tenant: 'default', account: uuidv7() };
const origin = 'live' as const;
/** Ids that the fold chokes on, and those that it has folded. */
const unreadable = new Set<string>();
const folded: string[] = [];

/** Stands for the projector: it keeps the chain of pages that a put back fact has to continue. */
const projector: FoldDefinition = {
  name: 'projector',
  facts: ['message.changed', 'cursor.*'],
  async apply(_tx, pages) {
    const keys = pages
      .flatMap(({ facts }) => facts)
      .flatMap(({ event: { data } }) => ('key' in data ? [data.key] : []));
    if (keys.some((key) => unreadable.has(key))) throw new AppError('test.bad', 'parse', 'unreadable');
    folded.push(...keys);
    return { emissions: [] };
  },
};

let world: World;
const over = new AbortController();
let running: Promise<void>;
beforeAll(async () => {
  world = await startWorld();
  const logger = createLogger('test', 'silent');
  const fold = createFold({ bus: world.bus, db: world.db, logger, definition: projector });
  running = fold.run(over.signal);
});
afterAll(async () => {
  over.abort();
  await running;
  await world.stop();
});

let lastPage: string | null = null;
/** A page of one message, as a fetcher stores it. */
async function storePage(key: string): Promise<void> {
  const page = uuidv7();
  const time = new Date().toISOString();
  const event = (n: number, type: string, data: object) =>
    envelope({ id: `${page}.${n}`, source: '/test', time, ...at, page, type, data });
  const people = { from: [], sender: [], replyTo: [], to: [], cc: [], bcc: [], recipientsOmitted: 0 };
  const nothing = { sentAt: null, size: 1, inReplyTo: null, references: [], providerThread: null };
  const content = { subject: key, messageId: key, snippet: null, attachments: [], receivedAt: time };
  const message = {
    op: 'upsert',
    key,
    keyKind: 'copy',
    copy: { mailbox: 'inbox', generation: '1', id: key },
    origin,
    flags: [],
    content: { ...people, ...nothing, ...content },
  };
  const cursor = { scope: 'inbox', page, prev: lastPage, cursor: 7, origin, run: page, count: 1, done: true };
  const stored = await world.bus.publishBatch(
    [
      { subject: subjects.fact(at, 'message.changed'), data: event(0, EVENT_TYPES.messageChanged, message) },
      {
        subject: subjects.cursor(at, 'inbox'),
        data: event(1, EVENT_TYPES.cursorAdvanced, { ...cursor, estimate: null }),
      },
    ],
    null,
  );
  expect(stored.outcome).toBe('committed');
  lastPage = page;
}

const list = async () =>
  (await world.call<{ items: ParkedEvent[] }>('GET', '/v1/parked?limit=200')).body.items;
const retry = (id: string) =>
  world.call<ParkedRetried & { error?: { code: string } }>('POST', `/v1/parked/${id}/retry`);

/** The letter that the fold parks of a message that it chokes on. */
async function parkMessage(key: string): Promise<ParkedEvent> {
  unreadable.add(key);
  await storePage(key);
  const find = async () =>
    (await list()).find(({ payload }) => Buffer.from(payload, 'base64').includes(`"${key}"`));
  await expect.poll(find, { timeout: 30_000 }).toBeDefined();
  const letter = await find();
  if (!letter) throw new Error('it was there a moment ago');
  return letter;
}

describe('a fact that is parked', () => {
  it('is folded once it can be, at the end of the log, and only once', async () => {
    const letter = await parkMessage('m1');
    await storePage('m2');
    await expect.poll(() => folded, { timeout: 30_000 }).toContain('m2');
    unreadable.clear();
    await expect.poll(async () => (await retry(letter.id)).body.outcome, { timeout: 30_000 }).toBe('folded');
    await expect.poll(() => folded, { timeout: 30_000 }).toEqual(['m2', 'm1']);
    expect((await retry(letter.id)).status).toBe(404);

    // A process that died before it took the letter away: its fact is in the log by now.
    const { stream, subject, sequence, payload } = letter;
    const again = { stream, subject, sequence: BigInt(sequence), data: Buffer.from(payload, 'base64') };
    await world.bus.park(again, 'again', 'parked twice');
    const [twice] = await list();
    expect(twice?.reason).toBe('again');
    expect((await retry(twice?.id ?? '')).body.outcome).toBe('superseded');
    expect(folded).toEqual(['m2', 'm1']);
  });

  it('that cannot be read today either is refused, and stays', async () => {
    const subject = subjects.fact(at, 'message.changed');
    await world.bus.park({ stream: 'MAIL', subject, sequence: 1n, data: Buffer.from('x') }, 'not-json', 'x');
    const [letter] = await list();
    const { status, body } = await retry(letter?.id ?? '');
    expect([status, body.error?.code]).toEqual([409, 'parked.unusable']);
    expect((await list())[0]?.id).toBe(letter?.id);
  });
});

it('a hint is published again', async () => {
  const subject = subjects.hint({ ...at, account: uuidv7() }, 'user');
  await world.bus.park({ stream: 'SYNC', subject, sequence: 1n, data: Buffer.from('{}') }, 'test', 'x');
  const [letter] = await list();
  expect(await retry(letter?.id ?? '')).toMatchObject({ status: 200, body: { outcome: 'published' } });
  // Its account is not known, so that it comes back, with the reason of the consumer.
  await expect
    .poll(async () => (await list())[0], { timeout: 30_000 })
    .toMatchObject({ subject, reason: 'unknown-account' });
});

it('is shown page by page, dropped with a word in the audit trail, and nothing of it is told to others', async () => {
  const [first, second] = await list();
  const page = await world.call<{ items: ParkedEvent[]; next: string }>('GET', '/v1/parked?limit=1');
  expect(page.body.items).toEqual([first]);
  const after = await world.call<typeof page.body>('GET', `/v1/parked?limit=1&after=${page.body.next}`);
  expect(after.body.items).toEqual([second]);

  const headers = { authorization: `Bearer ${await tokenOf({ tenant: 'somebody' })}` };
  const url = `/v1/parked/${first?.id}`;
  const stranger = async (method: 'GET' | 'POST' | 'DELETE', path: string) =>
    (await world.app.inject({ method, url: path, headers })).statusCode;
  expect(await stranger('GET', url)).toBe(404);
  expect(await stranger('POST', `${url}/retry`)).toBe(404);
  expect(await stranger('DELETE', url)).toBe(404);
  expect((await world.app.inject({ url: '/v1/parked', headers })).json().items).toEqual([]);

  expect((await world.call('GET', url)).body).toEqual(first);
  expect((await world.call('DELETE', url)).status).toBe(204);
  expect((await list())[0]).toEqual(second);
  const { body } = await world.call<{ items: AuditEntry[] }>('GET', '/v1/audit?action=parked.dropped');
  expect(body.items).toMatchObject([{ action: 'parked.dropped', detail: { id: first?.id, stream: 'SYNC' } }]);

  await world.bus.park(
    { stream: 'FETCH', subject: 'fetch.x', sequence: 1n, data: Buffer.from('y') },
    'test',
    'x',
  );
  const [nobodys] = await list();
  expect(nobodys).toMatchObject({ subject: 'fetch.x', payload: '' });
  expect((await world.call('DELETE', `/v1/parked/${nobodys?.id}`)).status).toBe(409);
});
