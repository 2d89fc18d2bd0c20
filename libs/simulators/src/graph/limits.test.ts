import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Answer,
  errorOf,
  IMMUTABLE,
  isObject,
  type JsonObject,
  startWorld,
  until,
  type World,
} from '../testkit.ts';

describe('limits and batches', () => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld();
  });
  afterEach(() => world.close());

  const holdRequests = async (count: number): Promise<Promise<Answer>[]> => {
    const { control } = world.simulator;
    control.fault({ path: '/mailFolders/inbox', times: count, fault: { kind: 'hold' } });
    const answers = Array.from({ length: count }, () => world.graph('/me/mailFolders/inbox'));
    await until(() => control.held() === count);
    return answers;
  };
  const item = (id: string, url: string, more: object = {}) => ({
    id,
    method: 'GET',
    url,
    headers: { Prefer: IMMUTABLE },
    ...more,
  });
  const batch = async (requests: readonly object[]) => {
    const answer = await world.graph('/$batch', { body: { requests } });
    const { responses } = answer.body;
    return Array.isArray(responses) ? responses.filter(isObject) : [];
  };
  const byId = (responses: readonly JsonObject[]) =>
    Object.fromEntries(responses.map((response) => [response.id, response]));

  test('A9.20 the fifth request at once on a mailbox is refused', async () => {
    const held = await holdRequests(4);
    const fifth = await world.graph('/me/mailFolders');
    expect(fifth.status).toBe(429);
    expect(fifth.headers['retry-after']).toBe('5');
    expect(errorOf(fifth)).toEqual({
      code: 'ApplicationThrottled',
      message: 'Application is over its MailboxConcurrency limit.',
    });
    world.simulator.control.release();
    expect((await Promise.all(held)).map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
    expect((await world.graph('/me/mailFolders')).status).toBe(200);
  });

  test('A9.20 items of a batch count, and another mailbox does not', async () => {
    const held = await holdRequests(2);
    const responses = await batch(
      Array.from({ length: 8 }, (_, index) => item(String(index), '/me/mailFolders/drafts')),
    );
    const statuses = responses.map((response) => response.status);
    expect(statuses).toContain(429);
    expect(statuses).toContain(200);
    const other = world.simulator.control.createMailbox({ address: 'bo@contoso.example.com' });
    const token = world.simulator.control.issueToken({ mailbox: other.address });
    expect((await world.graph('/me/mailFolders', { token })).status).toBe(200);
    world.simulator.control.release();
    await Promise.all(held);
  });

  test('A9.21 requests per window are counted for each application, refused ones too', async () => {
    const { control } = world.simulator;
    control.throttle({ mailbox: world.mailbox, limits: { requests: 20, windowMs: 10_000 } });
    const ask = async (token?: string) =>
      (await world.graph('/me/mailFolders', token === undefined ? {} : { token })).status;
    for (let count = 0; count < 20; count++) expect(await ask()).toBe(200);
    const refused = await world.graph('/me/mailFolders');
    expect([refused.status, errorOf(refused).code]).toEqual([429, 'TooManyRequests']);
    expect(await ask(control.issueToken({ mailbox: world.mailbox, app: 'another' }))).toBe(200);
    control.advance({ ms: 6_000 });
    for (let count = 0; count < 20; count++) expect(await ask()).toBe(429);
    // What was asked while refused keeps the window full: ten seconds after the first twenty it is not over.
    control.advance({ ms: 5_000 });
    expect(await ask()).toBe(429);
    control.advance({ ms: 10_000 });
    expect(await ask()).toBe(200);
  });

  test('A9.22 a batch has twenty items at most, with ids of their own', async () => {
    const many = Array.from({ length: 21 }, (_, index) => item(String(index), '/me/mailFolders/inbox'));
    expect((await world.graph('/$batch', { body: { requests: many } })).status).toBe(400);
    const twice = [item('1', '/me/mailFolders/inbox'), item('1', '/me/mailFolders/inbox')];
    expect((await world.graph('/$batch', { body: { requests: twice } })).status).toBe(400);
    expect((await world.graph('/$batch', { body: { no: 'requests' } })).status).toBe(400);
  });

  test('A9.22 items are answered in any order, each with its own status', async () => {
    const { control } = world.simulator;
    const [id = ''] = control.deliver({ mailbox: world.mailbox });
    control.fault({
      path: '/mailFolders/drafts',
      times: 1,
      fault: { kind: 'status', status: 429, code: 'ApplicationThrottled', retryAfter: 7 },
    });
    const requests = [
      item('immutable', `/me/messages/${id}?$select=subject`),
      item('default', `/me/messages/${id}?$select=subject`, { headers: {} }),
      item('missing', '/me/messages/none'),
      item('throttled', '/me/mailFolders/drafts'),
      ...Array.from({ length: 6 }, (_, index) => item(`more-${index}`, '/me/mailFolders/inbox')),
    ];
    const responses = await batch(requests);
    expect(responses.map((response) => response.id)).not.toEqual(requests.map((request) => request.id));
    const answers = byId(responses);
    expect(answers.immutable).toMatchObject({ status: 200, body: { id } });
    expect(answers.default).toMatchObject({ status: 200, body: { id: expect.not.stringMatching(id) } });
    expect(answers.missing).toMatchObject({ status: 404, body: { error: { code: 'ErrorItemNotFound' } } });
    expect(answers.throttled).toMatchObject({ status: 429, headers: { 'Retry-After': '7' } });
  });

  test('A9.22 what depends on a failure fails', async () => {
    const answers = byId(
      await batch([
        item('1', '/me/messages/none'),
        item('2', '/me/mailFolders/inbox', { dependsOn: ['1'] }),
        item('3', '/me/mailFolders/inbox'),
      ]),
    );
    expect([answers['1']?.status, answers['2']?.status, answers['3']?.status]).toEqual([404, 424, 200]);
  });
});
