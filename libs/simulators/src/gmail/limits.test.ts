import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { quotaProfile } from '../behaviour.ts';
import { type Answer, until } from '../testkit.ts';
import { type GmailWorld, refusal, startGmail } from './testkit.ts';

const MINUTE = 60_000;

describe('quota, limits and batches', () => {
  let world: GmailWorld;
  beforeEach(async () => {
    world = await startGmail();
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const spending = () => world.control.spending({ mailbox: world.mailbox });
  const deliver = (count: number) => world.control.deliver({ mailbox: world.mailbox, count });
  const spend = async (units: number) => {
    const [id] = deliver(1);
    for (let spent = 0; spent < units; spent += 40) await world.gmail(`/threads/${id}?format=minimal`);
  };

  test('B9.16 each method costs its units; a refused request costs nothing', async () => {
    const [id] = deliver(1);
    for (const path of ['/profile', '/labels', `/history?startHistoryId=1`, '/messages', `/messages/${id}`])
      await world.gmail(path);
    await world.gmail(`/threads/${id}`);
    await world.gmail('/messages/19ffffffffffffff');
    expect(spending()).toEqual({
      thisMinute: 89,
      total: 89,
      byMethod: {
        getProfile: 1,
        'labels.list': 1,
        'history.list': 2,
        'messages.list': 5,
        'messages.get': 40,
        'threads.get': 40,
      },
      busiestMinute: 89,
      refused: 0,
      refusedNow: 0,
    });
    expect(world.control.requests().map(({ units }) => units)).toEqual([1, 1, 2, 5, 20, 40, 20]);
  });

  test('B9.16 6,000 units a minute for one user, then 403 with the text of the live one', async () => {
    await spend(6_000);
    const refused = await world.gmail('/profile');
    expect(refusal(refused)).toEqual({
      status: 403,
      reason: 'rateLimitExceeded',
      domain: 'usageLimits',
      message: expect.stringMatching(
        /^Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service 'gmail\.googleapis\.com' for consumer 'project_number:\d+'\.$/,
      ),
    });
    expect(spending()).toMatchObject({ thisMinute: 6_000, refused: 1 });
    world.control.advance({ ms: MINUTE });
    expect((await world.gmail('/profile')).status).toBe(200);
    expect(spending()).toMatchObject({ thisMinute: 1, busiestMinute: 6_000 });
  });

  test('B9.16 older projects have other numbers; and quotas can be off', async () => {
    world.control.behave({ quota: quotaProfile('legacy') });
    const [id] = deliver(1);
    await world.gmail(`/messages/${id}`);
    expect(spending().total).toBe(5);
    world.control.behave({ quota: { ...quotaProfile('off'), costs: '2026' } });
    await spend(8_000);
    expect(spending()).toMatchObject({ total: 8_005, refused: 0 });
  });

  test('B9.16 the project has a limit of its own, shared by its users', async () => {
    world.control.behave({ quota: { projectUnitsPerMinute: 30 } });
    world.control.createMailbox({ address: 'bo@example.com', provider: 'google' });
    const token = world.control.issueToken({ mailbox: 'bo@example.com' });
    const [id] = deliver(1);
    expect((await world.gmail(`/messages/${id}`)).status).toBe(200);
    const refused = refusal(await world.gmail('/threads', { token }));
    expect(refused).toMatchObject({ status: 200 });
    expect(refusal(await world.gmail('/profile', { token })).message).toMatch(
      /limit 'Queries per minute' of/,
    );
    const another = world.control.issueToken({ mailbox: 'bo@example.com', app: 'another' });
    expect((await world.gmail('/profile', { token: another })).status).toBe(200);
  });

  test('B9.16 the other ways to say so: userRateLimitExceeded and 429, with and without a time', async () => {
    world.control.throttle({ mailbox: world.mailbox, limits: { unitsPerMinute: 0, refusal: 'user-rate' } });
    expect(refusal(await world.gmail('/profile'))).toMatchObject({
      status: 403,
      reason: 'userRateLimitExceeded',
      message: 'User-rate limit exceeded.',
    });
    world.control.behave({ quota: { namesTime: 1 } });
    expect(refusal(await world.gmail('/profile')).message).toBe(
      `User-rate limit exceeded.  Retry after ${new Date(world.control.now() + MINUTE).toISOString()}`,
    );
    world.control.throttle({ mailbox: world.mailbox, limits: { unitsPerMinute: 0, refusal: 'exhausted' } });
    const exhausted = await world.gmail('/profile');
    expect(refusal(exhausted)).toEqual({
      status: 429,
      reason: 'rateLimitExceeded',
      domain: 'global',
      message: 'Resource has been exhausted (e.g. check quota).',
    });
    expect(exhausted.body.error).toMatchObject({ status: 'RESOURCE_EXHAUSTED' });
  });

  test('B9.16 by chance requests are refused for no visible reason', async () => {
    world.control.behave({ quota: { random: 1 } });
    const kinds = new Set<unknown>();
    for (let count = 0; count < 30; count++) kinds.add(refusal(await world.gmail('/profile')).reason);
    expect([...kinds].sort()).toEqual(['rateLimitExceeded', 'userRateLimitExceeded']);
    world.control.assertContract();
  });

  const hold = async (count: number): Promise<Promise<Answer>[]> => {
    world.control.fault({ path: '/profile', times: count, fault: { kind: 'hold' } });
    const answers = Array.from({ length: count }, () => world.gmail('/profile'));
    await until(() => world.control.held() === count);
    return answers;
  };

  test('B9.17 the eleventh request at once of one user is refused', async () => {
    const held = await hold(10);
    const eleventh = await world.gmail('/labels');
    expect(refusal(eleventh)).toEqual({
      status: 429,
      reason: 'rateLimitExceeded',
      domain: 'global',
      message: 'Too many concurrent requests for user',
    });
    world.control.createMailbox({ address: 'bo@example.com', provider: 'google' });
    const token = world.control.issueToken({ mailbox: 'bo@example.com' });
    expect((await world.gmail('/labels', { token })).status).toBe(200);
    world.control.release();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect((await world.gmail('/labels')).status).toBe(200);
    expect(() => world.control.assertContract()).toThrow(/11 requests in flight for one user/);
  });

  const batch = async (items: readonly string[]) => {
    const parts = items.map(
      (item, index) =>
        `--b\r\nContent-Type: application/http\r\nContent-ID: <item-${index}>\r\n\r\n${item}\r\n\r\n`,
    );
    const answer = await world.gmail('//batch/gmail/v1', {
      method: 'POST',
      text: `${parts.join('')}--b--`,
      headers: { 'content-type': 'multipart/mixed; boundary=b' },
    });
    const boundary = /boundary=(\S+)/.exec(String(answer.headers['content-type']))?.[1];
    const replies = answer.text.split(`--${boundary}`).slice(1, -1);
    return { answer, replies, statuses: replies.map((reply) => Number(/HTTP\/1\.1 (\d+)/.exec(reply)?.[1])) };
  };

  test('B9.20 a batch answers each of its calls on its own', async () => {
    const [id] = deliver(1);
    const { answer, replies, statuses } = await batch([
      `GET /gmail/v1/users/me/messages/${id}?format=minimal`,
      'GET /gmail/v1/users/me/messages/19ffffffffffffff HTTP/1.1\r\nAccept: application/json',
      `POST /gmail/v1/users/me/messages/${id}/modify HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{"removeLabelIds":["UNREAD"]}`,
      `DELETE /gmail/v1/users/me/messages/${id}`,
    ]);
    expect(answer.status).toBe(200);
    expect(statuses).toEqual([200, 404, 200, 204]);
    expect(replies[0]).toMatch(
      /^\r\nContent-Type: application\/http\r\nContent-ID: <response-item-0>\r\n\r\n/,
    );
    expect(replies[2]).toContain('"labelIds":["INBOX"]');
    expect(spending().total).toBe(20 + 20 + 5 + 10);
  });

  test('B9.20 more than a hundred are too many; B9.17 many of them run into the limit at once', async () => {
    const many = (count: number) => Array<string>(count).fill('GET /gmail/v1/users/me/profile');
    expect(refusal((await batch(many(101))).answer)).toMatchObject({ status: 400, reason: 'badRequest' });
    expect(refusal((await batch([])).answer).status).toBe(400);
    expect(new Set((await batch(many(25))).statuses)).toEqual(new Set([200]));
    expect(new Set((await batch(many(50))).statuses)).toEqual(new Set([200, 429]));
    const [id] = deliver(1);
    world.control.throttle({ mailbox: world.mailbox, limits: { unitsPerMinute: 100 } });
    const gets = Array<string>(4).fill(`GET /gmail/v1/users/me/messages/${id}`);
    expect((await batch(gets)).statuses).toContain(403);
  });

  test('the contract: parameters that hide changes, and storms of requests without quota', async () => {
    const { control } = world;
    const broken = async (path: string, rule: RegExp) => {
      control.clearRequests();
      await world.gmail(path);
      expect(() => control.assertContract()).toThrow(rule);
    };
    await broken('/history?startHistoryId=1&labelId=INBOX', /labelId hides changes/);
    await broken('/history?startHistoryId=1&historyTypes=messageAdded', /historyTypes are left out/);
    await broken('/messages', /without includeSpamTrash=true/);
    await broken('/messages?includeSpamTrash=true&q=x', /a search is no way/);
    control.clearRequests();
    await world.gmail('/messages?includeSpamTrash=true&labelIds=INBOX');
    await world.gmail('/history?startHistoryId=1');
    control.throttle({ mailbox: world.mailbox, limits: { unitsPerMinute: 0 } });
    for (let count = 0; count < 10; count++) await world.gmail('/profile');
    control.assertContract();
    await world.gmail('/profile');
    expect(() => control.assertContract()).toThrow(/more than 10 requests in one minute without quota: ada@/);
  });
});
