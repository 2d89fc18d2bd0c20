import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  allPages,
  type GmailWorld,
  historyId,
  historySince,
  listOf,
  refusal,
  startGmail,
} from './testkit.ts';

describe('lists', () => {
  let world: GmailWorld;
  beforeEach(async () => {
    world = await startGmail({}, { userFolders: false });
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const deliver = (count = 1, labels?: string[]) =>
    world.control.deliver({ mailbox: world.mailbox, count, ...(labels ? { labels } : {}) });
  const list = async (query = '') =>
    listOf((await world.gmail(`/messages?${query}`)).body, 'messages').map(({ id }) => id);

  test('B9.1 newest first, a hundred unless asked for more, five hundred at most', async () => {
    const ids = deliver(600).reverse();
    const first = await world.gmail('/messages');
    expect(listOf(first.body, 'messages').map(({ id }) => id)).toEqual(ids.slice(0, 100));
    expect(first.body.nextPageToken).toMatch(/^[\w-]+$/);
    expect(await list('maxResults=1000')).toEqual(ids.slice(0, 500));
    expect(refusal(await world.gmail('/messages?maxResults=many')).status).toBe(400);
    const next = await world.gmail(`/messages?maxResults=100&pageToken=${first.body.nextPageToken}`);
    expect(listOf(next.body, 'messages').map(({ id }) => id)).toEqual(ids.slice(100, 200));
    expect(refusal(await world.gmail('/messages?pageToken=nonsense')).message).toBe('Invalid pageToken');
    const pages = await allPages(world, '/messages?maxResults=500');
    expect(pages.flatMap((page) => listOf(page, 'messages'))).toHaveLength(600);
    expect(pages.at(-1)).not.toHaveProperty('nextPageToken');
  });

  test('B9.1 several labelIds are all wanted; spam and trash only when asked for', async () => {
    const [starred] = deliver(1, ['INBOX', 'STARRED']);
    const [spam] = deliver(1, ['SPAM', 'UNREAD']);
    const [trash] = deliver(1, ['TRASH', 'STARRED']);
    const [plain] = deliver(1, []);
    expect(await list('labelIds=INBOX&labelIds=STARRED')).toEqual([starred]);
    expect(await list()).toEqual([plain, starred]);
    expect(await list('includeSpamTrash=true')).toEqual([plain, trash, spam, starred]);
    expect(await list('labelIds=STARRED&includeSpamTrash=true')).toEqual([trash, starred]);
    expect((await world.gmail('/messages?labelIds=DRAFT')).body).toEqual({ resultSizeEstimate: 0 });
  });

  test('B9.2 a page token is a position: what comes or goes meanwhile shifts the pages', async () => {
    const ids = deliver(30).reverse();
    const page = async (token?: unknown) =>
      (await world.gmail(`/messages?maxResults=10${token === undefined ? '' : `&pageToken=${token}`}`)).body;
    const names = (body: Awaited<ReturnType<typeof page>>) => listOf(body, 'messages').map(({ id }) => id);
    const first = await page();
    deliver(3);
    const second = await page(first.nextPageToken);
    expect(names(second)).toEqual(ids.slice(7, 17));
    world.control.remove({ mailbox: world.mailbox, ids: ids.slice(0, 5) });
    expect(names(await page(second.nextPageToken))).toEqual(ids.slice(22, 30));
  });

  test('B9.14 what happens during a listing is in the history after the profile', async () => {
    const old = deliver(20);
    const start = await historyId(world);
    await world.gmail('/messages?maxResults=10');
    const [fresh] = deliver();
    world.control.remove({ mailbox: world.mailbox, ids: old.slice(0, 1) });
    const { records, next } = await historySince(world, start);
    const told = JSON.stringify(records);
    expect(told).toContain(fresh);
    expect(told).toContain(old[0]);
    expect(BigInt(next)).toBeGreaterThan(BigInt(start));
    expect(await historyId(world)).toBe(next);
  });

  test('threads are listed once each, by their newest message', async () => {
    const [first = ''] = deliver();
    const [other] = deliver();
    const [answer] = world.control.deliver({ mailbox: world.mailbox, answering: first });
    const threads = listOf((await world.gmail('/threads')).body, 'threads').map(({ id }) => id);
    expect(threads).toEqual([first, other]);
    const { body } = await world.gmail(`/threads/${first}?format=minimal`);
    expect(listOf(body, 'messages').map(({ id, threadId }) => [id, threadId])).toEqual([
      [first, first],
      [answer, first],
    ]);
    expect((await world.gmail(`/threads/${answer}`)).status).toBe(404);
  });
});
