import { request } from 'node:https';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fault } from '../http/faults.ts';
import { errorOf, startWorld, type World } from '../testkit.ts';

describe('faults of the transport, and refused access', () => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld({}, { messages: 50 });
  });
  afterEach(() => world.close());

  const list = '/me/mailFolders/inbox/messages';
  const fail = (fault: Fault, times = 1) =>
    world.simulator.control.fault({ method: 'GET', path: '/messages', times, fault });

  test('A9.23 503 and 504, with and without Retry-After, as often as planned', async () => {
    fail({ kind: 'status', status: 503, code: 'ServiceNotAvailable', retryAfter: 12 });
    fail({ kind: 'status', status: 504 }, 2);
    const answers = [];
    for (let count = 0; count < 4; count++) answers.push(await world.graph(list));
    expect(answers.map((answer) => answer.status)).toEqual([503, 504, 504, 200]);
    expect(answers.map((answer) => answer.headers['retry-after'])).toEqual([
      '12',
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('A9.23 a page of HTML from the edge', async () => {
    fail({ kind: 'html', status: 502 });
    const answer = await world.graph(list);
    expect([answer.status, answer.headers['content-type'], answer.body]).toEqual([502, 'text/html', {}]);
  });

  test('A9.23 a connection that breaks in the middle of the body', async () => {
    fail({ kind: 'reset' });
    await expect(world.graph(list)).rejects.toThrow();
    expect((await world.graph(list)).status).toBe(200);
  });

  test('A9.23 a body in small pieces, and a compressed one, are complete', async () => {
    const whole = await world.graph(list);
    fail({ kind: 'drip' });
    expect((await world.graph(list)).text).toBe(whole.text);
    world.simulator.control.behave({ transport: { gzip: 1 } });
    const zipped = await world.graph(list, { headers: { 'accept-encoding': 'gzip' } });
    expect([zipped.headers['content-encoding'], zipped.text]).toEqual(['gzip', whole.text]);
    expect((await world.graph(list)).headers['content-encoding']).toBeUndefined();
  });

  test('A9.24 a token that is expired, malformed, foreign or missing', async () => {
    const { control } = world.simulator;
    const token = control.issueToken({ mailbox: world.mailbox, expiresInMs: 60_000 });
    expect((await world.graph(list, { token })).status).toBe(200);
    control.advance({ ms: 60_000 });
    const messages = [];
    for (const wrong of [token, 'nonsense', 'a.b.c', '']) {
      const answer = await world.graph(list, { token: wrong });
      expect([answer.status, errorOf(answer).code]).toEqual([401, 'InvalidAuthenticationToken']);
      messages.push(errorOf(answer).message);
    }
    expect(messages).toEqual([
      'Lifetime validation failed, the token is expired.',
      'IDX14100: JWT is not well formed, there are no dots (.).',
      'Access token validation failure. Invalid signature.',
      'Access token is empty.',
    ]);
  });

  test("A9.24 another person's mailbox, a refused one, and one that is none", async () => {
    const { control } = world.simulator;
    control.createMailbox({ address: 'bo@contoso.example.com' });
    const foreign = await world.graph('/users/bo@contoso.example.com/messages');
    expect([foreign.status, errorOf(foreign).code]).toEqual([403, 'ErrorAccessDenied']);
    control.refuse({ mailbox: world.mailbox, how: 'access-denied' });
    expect((await world.graph(list)).status).toBe(403);
    control.refuse({ mailbox: world.mailbox, how: 'no-mailbox' });
    expect(errorOf(await world.graph(list)).code).toBe('MailboxNotEnabledForRESTAPI');
    control.refuse({ mailbox: world.mailbox, how: 'none' });
    control.revoke({ mailbox: world.mailbox });
    expect((await world.graph(list)).status).toBe(401);
  });

  test('A9.33 speaks TLS with a certificate of its own authority only', async () => {
    const ask = (url: string, ca?: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const options = ca === undefined ? {} : { ca };
        request(url, options, (response) => resolve(response.resume().statusCode))
          .on('error', reject)
          .end();
      });
    const { url, ca } = world.simulator.graph;
    expect(new URL(url).protocol).toBe('https:');
    expect(await ask(`${url}/me`, ca)).toBe(401);
    expect(await ask(`${url.replace('127.0.0.1', 'localhost')}/me`, ca)).toBe(401);
    await expect(ask(url)).rejects.toThrow(/certificate/);
  });
});
