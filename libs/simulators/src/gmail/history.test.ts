import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../testkit.ts';
import {
  allPages,
  at,
  type GmailWorld,
  historyId,
  historySince,
  listOf,
  refusal,
  startGmail,
} from './testkit.ts';

describe('history', () => {
  let world: GmailWorld;
  beforeEach(async () => {
    world = await startGmail({}, { userFolders: false });
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const one = (ids: readonly string[]) => ids[0] ?? '';
  const deliver = (labels?: string[]) =>
    one(world.control.deliver({ mailbox: world.mailbox, ...(labels ? { labels } : {}) }));
  const label = (id: string, add: string[], remove: string[] = []) =>
    world.control.label({ mailbox: world.mailbox, ids: [id], add, remove });
  const since = (start: string, more = '') => historySince(world, start, more);
  /** Kind and message of everything told, in order. */
  const told = (records: readonly JsonObject[]) =>
    records.flatMap((record) =>
      ['messagesAdded', 'messagesDeleted', 'labelsAdded', 'labelsRemoved'].flatMap((kind) =>
        listOf(record, kind).map((item) => [kind, at(item, 'message', 'id'), at(item, 'labelIds')]),
      ),
    );

  test('B9.6 ids grow with gaps, and may begin above 2^53', async () => {
    const huge = (2n ** 53n + 1n).toString();
    world.control.createMailbox({ address: 'old@example.com', provider: 'google', historyStart: huge });
    const token = world.control.issueToken({ mailbox: 'old@example.com' });
    const start = (await world.gmail('/profile', { token })).body.historyId;
    expect(start).toBe(huge);
    world.control.deliver({ mailbox: 'old@example.com', count: 20 });
    const { body } = await world.gmail(`/history?startHistoryId=${start}`, { token });
    const ids = listOf(body, 'history').map(({ id }) => BigInt(String(id)));
    expect(ids).toEqual(ids.toSorted((a, b) => (a < b ? -1 : 1)));
    const gaps = ids.slice(1).map((id, index) => id - (ids[index] ?? 0n));
    expect(gaps.some((gap) => gap > 1n)).toBe(true);
    expect(BigInt(Number(ids[0])) === ids[0] && BigInt(Number(ids[1])) === ids[1]).toBe(false);
    expect(String(body.historyId)).toBe(String(ids.at(-1)));
  });

  test('B9.7 nothing new: no history member; else records with a redundant list of messages', async () => {
    const start = await historyId(world);
    expect((await world.gmail(`/history?startHistoryId=${start}`)).body).toEqual({ historyId: start });
    const id = deliver();
    label(id, ['STARRED'], ['UNREAD']);
    const { records, next } = await since(start);
    const message = { id, threadId: id };
    expect(records).toEqual([
      {
        id: expect.stringMatching(/^\d+$/),
        messages: [message],
        messagesAdded: [{ message: { ...message, labelIds: ['INBOX', 'UNREAD'] } }],
      },
      {
        id: next,
        messages: [message],
        labelsAdded: [{ labelIds: ['STARRED'], message: { ...message, labelIds: ['INBOX', 'STARRED'] } }],
        labelsRemoved: [{ labelIds: ['UNREAD'], message: { ...message, labelIds: ['INBOX', 'STARRED'] } }],
      },
    ]);
  });

  test('B9.7 records are split, merged with their neighbours, and pages may be empty', async () => {
    const start = await historyId(world);
    const id = deliver();
    label(id, ['STARRED'], ['UNREAD']);
    world.control.behave({ gmail: { splits: 1 } });
    const split = (await since(start)).records;
    expect(split).toHaveLength(3);
    expect(split[1]?.id).toBe(split[2]?.id);

    world.control.behave({ gmail: { splits: 0, merges: 1, omittedLabels: 1 } });
    deliver();
    const merged = (await since(start)).records;
    expect(merged).toHaveLength(2);
    expect(listOf(merged[1], 'messages')).toHaveLength(2);
    expect(at(listOf(merged[1], 'labelsAdded')[0], 'message')).not.toHaveProperty('labelIds');

    world.control.behave({ gmail: { emptyPages: 1 } });
    const { pages } = await since(start);
    expect(pages[0]).not.toHaveProperty('history');
    expect(pages[0]).toHaveProperty('nextPageToken');
    expect(pages.length).toBe(2);
  });

  test('B9.7 pages of records; what happens between two pages is on the next one', async () => {
    const start = await historyId(world);
    const ids = world.control.deliver({ mailbox: world.mailbox, count: 25 });
    const first = await world.gmail(`/history?startHistoryId=${start}&maxResults=10`);
    expect(listOf(first.body, 'history')).toHaveLength(10);
    ids.push(deliver());
    const rest = await allPages(
      world,
      `/history?startHistoryId=${start}&maxResults=10`,
      first.body.nextPageToken,
    );
    const all = [first.body, ...rest].flatMap((page) => listOf(page, 'history'));
    expect(told(all).map(([, id]) => id)).toEqual(ids);
    expect(rest.at(-1)?.historyId).toBe(await historyId(world));
  });

  test('B9.8 filters by type and label; a start that is missing, wrong, or in the future', async () => {
    const start = await historyId(world);
    const id = deliver();
    const other = deliver(['SPAM']);
    label(id, ['STARRED']);
    world.control.remove({ mailbox: world.mailbox, ids: [other] });
    const kinds = async (more: string) => told((await since(start, more)).records);
    expect(await kinds('&historyTypes=messageDeleted')).toEqual([['messagesDeleted', other, undefined]]);
    expect(await kinds('&historyTypes=labelAdded&historyTypes=messageDeleted')).toHaveLength(2);
    expect((await kinds('&labelId=SPAM')).map(([, message]) => message)).toEqual([other, other]);
    expect(refusal(await world.gmail('/history')).status).toBe(400);
    expect(refusal(await world.gmail('/history?startHistoryId=abc')).reason).toBe('invalidArgument');
    expect(refusal(await world.gmail(`/history?startHistoryId=${start}&historyTypes=x`)).status).toBe(400);
    const head = await historyId(world);
    const future = await world.gmail(`/history?startHistoryId=${BigInt(head) + 1_000n}`);
    expect([future.status, future.body]).toEqual([200, { historyId: head }]);
  });

  test('B9.9 too old a start is answered like a message that is not there', async () => {
    const start = await historyId(world);
    deliver();
    const later = await historyId(world);
    world.control.advance({ ms: 6 * 24 * 60 * 60_000 });
    deliver();
    expect((await since(start)).records).toHaveLength(2);
    world.control.advance({ ms: 2 * 24 * 60 * 60_000 });
    const gone = await world.gmail(`/history?startHistoryId=${start}`);
    expect(gone.body).toEqual((await world.gmail('/messages/19ffffffffffffff')).body);
    expect(refusal(gone)).toEqual({
      status: 404,
      reason: 'notFound',
      domain: 'global',
      message: 'Requested entity was not found.',
    });
    expect((await since(later)).records).toHaveLength(1);
    world.control.expireCursors({ mailbox: world.mailbox });
    expect((await world.gmail(`/history?startHistoryId=${later}`)).status).toBe(404);
    expect((await since(await historyId(world))).records).toEqual([]);
    world.control.behave({ gmail: { expiries: 1 } });
    expect((await world.gmail(`/history?startHistoryId=${await historyId(world)}`)).status).toBe(404);
  });

  test('B9.9 what lags outlives an expiry: whoever begins anew is told of it', async () => {
    deliver();
    const before = await historyId(world);
    world.control.behave({ lagMs: [1_000, 1_000] });
    const id = deliver();
    world.control.expireCursors({ mailbox: world.mailbox });
    const start = await historyId(world);
    expect(start).toBe(before);
    world.control.advance({ ms: 1_000 });
    expect(told((await since(start)).records).map(([, message]) => message)).toEqual([id]);
    expect((await world.gmail(`/history?startHistoryId=${BigInt(start) - 1n}`)).status).toBe(404);
  });

  test('B9.9 only a young account remembers everything', async () => {
    deliver();
    expect((await since('1')).records).toHaveLength(1);
    world.control.createMailbox({ address: 'grown@example.com', provider: 'google', messages: 5 });
    const token = world.control.issueToken({ mailbox: 'grown@example.com' });
    expect((await world.gmail('/history?startHistoryId=1', { token })).status).toBe(404);
  });

  test('B9.10 trash, spam, archive, star and read are labels; only what is gone for good is deleted', async () => {
    const id = deliver();
    const ids = [id];
    const { mailbox } = world;
    const start = await historyId(world);
    world.control.markRead({ mailbox, ids, read: true });
    world.control.flag({ mailbox, ids, flag: 'flagged' });
    world.control.move({ mailbox, ids, to: 'archive' });
    world.control.move({ mailbox, ids, to: 'SPAM' });
    await world.gmail(`/messages/${id}/trash`, { method: 'POST' });
    await world.gmail(`/messages/${id}/untrash`, { method: 'POST' });
    await world.gmail(`/messages/${id}`, { method: 'DELETE' });
    expect(told((await since(start)).records)).toEqual([
      ['labelsRemoved', id, ['UNREAD']],
      ['labelsAdded', id, ['STARRED']],
      ['labelsRemoved', id, ['INBOX']],
      ['labelsAdded', id, ['SPAM']],
      ['labelsAdded', id, ['TRASH']],
      ['labelsRemoved', id, ['SPAM']],
      ['labelsRemoved', id, ['TRASH']],
      ['messagesDeleted', id, undefined],
    ]);
  });

  test('B9.10 what came and went is told as both, and is not there', async () => {
    const start = await historyId(world);
    const id = deliver();
    world.control.remove({ mailbox: world.mailbox, ids: [id] });
    expect(told((await since(start)).records)).toEqual([
      ['messagesAdded', id, undefined],
      ['messagesDeleted', id, undefined],
    ]);
    expect((await world.gmail(`/messages/${id}`)).status).toBe(404);
  });

  test('B9.11 a message just announced is not there yet', async () => {
    const start = await historyId(world);
    world.control.behave({ lagMs: [3_000, 3_000] });
    const id = deliver();
    expect((await world.gmail(`/messages/${id}`)).status).toBe(404);
    expect((await world.gmail('/messages')).body).toEqual({ resultSizeEstimate: 0 });
    expect((await since(start)).records).toEqual([]);
    world.control.advance({ ms: 3_000 });
    expect((await world.gmail(`/messages/${id}`)).status).toBe(200);
    expect((await since(start)).records).toHaveLength(1);
    world.control.behave({ lagMs: [0, 0], gmail: { readLagMs: [2_000, 2_000] } });
    const next = deliver();
    expect((await since(start)).records).toHaveLength(2);
    expect((await world.gmail(`/messages/${next}`)).status).toBe(404);
    world.control.advance({ ms: 2_000 });
    expect((await world.gmail(`/messages/${next}`)).status).toBe(200);
  });

  test('B9.12 a saved draft is another message; sending it keeps the message, or not', async () => {
    const { control, mailbox } = world;
    const start = await historyId(world);
    const first = control.saveDraft({ mailbox, content: { subject: 'one' } });
    const second = control.saveDraft({ mailbox, draft: first.draft, content: { subject: 'two' } });
    expect(second.draft).toBe(first.draft);
    expect(control.sendDraft({ mailbox, draft: second.draft })).toBe(second.id);
    control.behave({ gmail: { sentDrafts: 'new' } });
    const third = control.saveDraft({ mailbox });
    const sent = control.sendDraft({ mailbox, draft: third.draft });
    const all = told((await since(start)).records);
    expect(all).toEqual([
      ['messagesAdded', first.id, undefined],
      ['messagesDeleted', first.id, undefined],
      ['messagesAdded', second.id, undefined],
      ['labelsAdded', second.id, ['SENT']],
      ['labelsRemoved', second.id, ['DRAFT']],
      ['messagesAdded', third.id, undefined],
      ['messagesDeleted', third.id, undefined],
      ['messagesAdded', sent, undefined],
    ]);
  });

  test('B9.12 the same by request: drafts keep their ids', async () => {
    const raw = (subject: string) =>
      Buffer.from(`To: Bo <bo@example.com>\r\nSubject: ${subject}\r\n\r\nHello`).toString('base64url');
    const created = await world.gmail('/drafts', { body: { message: { raw: raw('one') } } });
    const { id } = created.body;
    const updated = await world.gmail(`/drafts/${id}`, {
      method: 'PUT',
      body: { message: { raw: raw('two') } },
    });
    expect(updated.body.id).toBe(id);
    expect(at(updated.body, 'message', 'id')).not.toBe(at(created.body, 'message', 'id'));
    expect((await world.gmail(`/messages/${at(created.body, 'message', 'id')}`)).status).toBe(404);
    const shown = await world.gmail(`/drafts/${id}?format=metadata`);
    expect(listOf(at(shown.body, 'message', 'payload'), 'headers')).toContainEqual({
      name: expect.stringMatching(/^subject$/i),
      value: 'two',
    });
    expect(listOf((await world.gmail('/drafts')).body, 'drafts').map((draft) => draft.id)).toEqual([id]);
    const sent = await world.gmail('/drafts/send', { body: { id } });
    expect(sent.body).toMatchObject({ id: at(updated.body, 'message', 'id'), labelIds: ['SENT'] });
    expect((await world.gmail(`/drafts/${id}`)).status).toBe(404);
    expect((await world.gmail('/drafts')).body).toEqual({ resultSizeEstimate: 0 });
  });

  test('B9.24 pushes run ahead of history', async () => {
    const topic = 'projects/demo-project/topics/gmail';
    const subscription = 'projects/demo-project/subscriptions/gmail';
    world.control.createTopic({ topic });
    world.control.subscribe({ subscription, topic });
    await world.gmail('/watch', { body: { topicName: topic } });
    const start = await historyId(world);
    world.control.advance({ ms: 1_000 });
    world.control.behave({ lagMs: [5_000, 5_000] });
    deliver();
    const pull = await world.pubsub(`${subscription}:pull`, { body: { maxMessages: 10 } });
    const pushed = listOf(pull.body, 'receivedMessages').map(({ message }) =>
      BigInt(
        /"historyId":(\d+)/.exec(Buffer.from(String(at(message, 'data')), 'base64').toString())?.[1] ?? 0,
      ),
    );
    expect(pushed.at(-1)).toBeGreaterThan(BigInt(start));
    const early = await since(start);
    expect([early.records, early.next]).toEqual([[], start]);
    world.control.advance({ ms: 5_000 });
    const late = await since(start);
    expect([late.records.length, BigInt(late.next)]).toEqual([1, pushed.at(-1)]);
  });
});
