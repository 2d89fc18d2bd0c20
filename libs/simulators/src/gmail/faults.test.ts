import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fault } from '../http/faults.ts';
import { at, type GmailWorld, listOf, refusal, startGmail } from './testkit.ts';

describe('faults, and refused access', () => {
  let world: GmailWorld;
  beforeEach(async () => {
    world = await startGmail({}, { messages: 30 });
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const fail = (fault: Fault, times = 1) => world.control.fault({ path: '/messages', times, fault });
  const list = '/messages';

  test('B9.18 500, 502, 503 and 504 as backendError, and whatever else is planned', async () => {
    for (const status of [500, 502, 503, 504]) {
      fail({ kind: 'status', status });
      expect(refusal(await world.gmail(list))).toMatchObject({ status, reason: 'backendError' });
    }
    fail({
      kind: 'status',
      status: 403,
      code: 'dailyLimitExceeded',
      message: 'Daily Limit Exceeded',
      retryAfter: 7,
    });
    const planned = await world.gmail(list);
    expect([refusal(planned).reason, planned.headers['retry-after']]).toEqual(['dailyLimitExceeded', '7']);
    expect((await world.gmail(list)).status).toBe(200);
  });

  test('B9.18 a page of HTML, a broken connection, a body in small pieces', async () => {
    const whole = await world.gmail(list);
    fail({ kind: 'html', status: 502 });
    const html = await world.gmail(list);
    expect([html.status, html.headers['content-type'], html.body]).toEqual([
      502,
      'text/html; charset=UTF-8',
      {},
    ]);
    fail({ kind: 'reset' });
    await expect(world.gmail(list)).rejects.toThrow();
    fail({ kind: 'drip' });
    expect((await world.gmail(list)).text).toBe(whole.text);
  });

  test('B9.19 a token that is expired, unknown, missing or revoked', async () => {
    const { control, mailbox } = world;
    const token = control.issueToken({ mailbox, expiresInMs: 60_000 });
    expect((await world.gmail(list, { token })).status).toBe(200);
    control.advance({ ms: 60_000 });
    for (const wrong of [token, 'nonsense'])
      expect((await world.gmail(list, { token: wrong })).body.error).toMatchObject({
        code: 401,
        status: 'UNAUTHENTICATED',
        errors: [{ message: 'Invalid Credentials', reason: 'authError', location: 'Authorization' }],
      });
    expect(refusal(await world.gmail(list, { token: '' })).reason).toBe('required');
    control.revoke({ mailbox });
    expect((await world.gmail(list)).status).toBe(401);
  });

  test('B9.19 a scope that is lacking', async () => {
    const metadata = { token: world.tokenFor('metadata') };
    const readonly = { token: world.tokenFor('readonly') };
    const none = { token: world.tokenFor('settings.basic') };
    const denied = await world.gmail(list, none);
    expect(refusal(denied)).toMatchObject({
      status: 403,
      reason: 'insufficientPermissions',
      message: 'Request had insufficient authentication scopes.',
    });
    expect(at(listOf(denied.body.error, 'details')[0], 'reason')).toBe('ACCESS_TOKEN_SCOPE_INSUFFICIENT');
    const id = listOf((await world.gmail(list, metadata)).body, 'messages')[0]?.id;
    expect((await world.gmail(`/messages/${id}?format=metadata`, metadata)).status).toBe(200);
    expect((await world.gmail(`/messages/${id}`, readonly)).status).toBe(200);
    for (const path of [`/messages/${id}`, `/messages/${id}?format=RAW`, `/threads/${id}`, `/messages?q=x`])
      expect(refusal(await world.gmail(path, metadata))).toMatchObject({ status: 403, reason: 'forbidden' });
    expect(refusal(await world.gmail('/messages?q=x', metadata)).message).toBe(
      "Metadata scope does not support 'q' parameter",
    );
    const modify = { method: 'POST', body: { addLabelIds: ['STARRED'] } };
    expect((await world.gmail(`/messages/${id}/modify`, { ...modify, ...readonly })).status).toBe(403);
  });

  test("B9.19 another person's mailbox, a policy, and mail that is switched off", async () => {
    const { control, mailbox } = world;
    expect((await world.gmail(`//gmail/v1/users/${mailbox}/profile`)).status).toBe(200);
    expect(refusal(await world.gmail('//gmail/v1/users/bo@example.com/profile')).status).toBe(403);
    control.refuse({ mailbox, how: 'access-denied' });
    expect(refusal(await world.gmail(list))).toMatchObject({ status: 403, reason: 'domainPolicy' });
    control.refuse({ mailbox, how: 'no-mailbox' });
    expect(refusal(await world.gmail(list))).toMatchObject({
      status: 400,
      reason: 'failedPrecondition',
      message: 'Mail service not enabled',
    });
    expect((await world.gmail('//gmail/v1/nothing')).status).toBe(404);
    expect((await world.gmail('/messages/%E0%A4')).status).toBe(400);
  });

  test('B9.26 compressed only when asked for; parameters nobody knows are ignored', async () => {
    world.control.behave({ transport: { gzip: 1 } });
    const whole = await world.gmail(list);
    expect(whole.headers['content-encoding']).toBeUndefined();
    const zipped = await world.gmail(list, { headers: { 'accept-encoding': 'gzip, deflate' } });
    expect([zipped.headers['content-encoding'], zipped.text]).toEqual(['gzip', whole.text]);
    const odd = await world.gmail(`${list}?alt=json&prettyPrint=false&quotaUser=x&nonsense=1`);
    expect(odd.text).toBe(whole.text);
  });
});
