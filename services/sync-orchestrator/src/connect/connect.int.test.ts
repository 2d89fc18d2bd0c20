// Accounts connected by signing in, against the simulator's Entra: out to its page and back, and everything that must not get through.
import { type Account, subjects } from '@mailstream/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type MicrosoftWorld, startMicrosoftWorld } from '../testkit.ts';

const ADA = 'ada@example.com';
const BOB = 'bob@example.com';

let world: MicrosoftWorld;
beforeAll(async () => {
  world = await startMicrosoftWorld();
});
afterAll(() => world.stop());
afterEach(async () => {
  for (const { id } of await accounts()) await world.remove(id);
});

async function accounts(): Promise<Account[]> {
  return (await world.call<{ items: Account[] }>('GET', '/v1/accounts')).body.items;
}

async function connected(as = ADA): Promise<Account> {
  expect((await world.signIn('', as)).status).toBe(200);
  const found = (await accounts()).find(({ name }) => name === as);
  if (!found) throw new Error(`${as} is not connected`);
  return found;
}

const me = async (token: string) => {
  const answer = await fetch(`${world.simulator.graph.url}/me`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return (await answer.json()) as { mail: string };
};

async function accessTokenOf(account: string): Promise<string> {
  const reply = await world.credentialsOf(account);
  if (!reply.ok) throw new Error(reply.message);
  return (reply.credential as { accessToken: string }).accessToken;
}

describe('signing in', () => {
  it('connects the mailbox of who signed in, and says so', async () => {
    const answer = await world.signIn();
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(ADA);
    const [account] = await accounts();
    expect(account).toMatchObject({
      provider: 'microsoft',
      name: ADA,
      state: 'connecting',
      settings: { mailbox: null, user: ADA },
      connect: `/v1/connect/microsoft?account=${account?.id}`,
    });
    const job = subjects.job('microsoft', 'live', account?.id ?? '', 'mailboxes');
    await vi.waitFor(async () => expect(await world.bus.last('FETCH', job)).not.toBeNull());
    expect(await me(await accessTokenOf(account?.id ?? ''))).toMatchObject({ mail: ADA });
  });

  it('asks for no token of the API when the browser comes back, and for one before', async () => {
    expect((await world.app.inject('/v1/connect/microsoft')).statusCode).toBe(401);
    expect((await world.browse(await world.agree(await world.begin()))).status).toBe(200);
  });

  it('sends the browser where its program wants it, if that is allowed', async () => {
    const to = encodeURIComponent('https://app.example.com/done?x=1');
    const answer = await world.signIn(`?return_to=${to}`);
    const [account] = await accounts();
    expect(answer.location).toBe(`https://app.example.com/done?x=1&account=${account?.id}`);
    for (const wrong of ['https://evil.example.com/', 'javascript:alert(1)', '//app.example.com', 'x']) {
      await expect(world.begin(`?return_to=${encodeURIComponent(wrong)}`)).rejects.toThrow(
        'connect.return_to',
      );
    }
  });

  it('leaves no secret in the database, and nothing of a sign-in that is over', async () => {
    await connected();
    await world.begin();
    const token = await accessTokenOf((await accounts())[0]?.id ?? '');
    const rows = await world.db.query(
      `SELECT row_to_json(t)::text AS text FROM (SELECT a.*, encode(c.sealed, 'escape') FROM control.account a JOIN control.credential c ON c.account = a.id) t
       UNION ALL SELECT row_to_json(t)::text FROM (SELECT c.*, encode(sealed, 'escape') FROM control.consent c) t`,
    );
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toContain(token);
    expect(JSON.stringify(rows)).not.toContain('refreshToken');
  });

  it.each([
    ['twice', async () => [await world.signIn(), await world.signIn()]],
    [
      'twice at once',
      async () => {
        const paths = [await world.agree(await world.begin()), await world.agree(await world.begin())];
        return Promise.all(paths.map((path) => world.browse(path)));
      },
    ],
  ])('%s to one mailbox makes one account', async (_when, signIn) => {
    expect((await signIn()).map(({ status }) => status)).toEqual([200, 200]);
    expect(await accounts()).toMatchObject([{ name: ADA, credentialVersion: 2 }]);
  });

  it('again makes an account work whose consent was taken back', async () => {
    const { id } = await connected();
    world.simulator.control.revoke({ mailbox: ADA });
    expect((await world.signIn(`?account=${id}`)).status).toBe(200);
    expect(await accounts()).toMatchObject([{ id, state: 'connecting', credentialVersion: 2 }]);
    expect(await me(await accessTokenOf(id))).toMatchObject({ mail: ADA });
  });
});

describe('a sign-in is refused', () => {
  const refused = async (path: string, code: string) => {
    const answer = await world.browse(path);
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining(`(${code})`) });
    return answer.text;
  };

  it('when it comes back a second time', async () => {
    const path = await world.agree(await world.begin());
    await world.browse(path);
    const before = await accounts();
    await refused(path, 'connect.state_unknown');
    expect(await accounts()).toEqual(before);
  });

  it('with a state that nobody gave out, or none', async () => {
    await refused('/v1/connect/microsoft/callback?code=x&state=guess', 'connect.state_unknown');
    await refused('/v1/connect/microsoft/callback', 'connect.state_unknown');
    await refused('/v1/connect/microsoft/callback?state=a&state=b', 'connect.state_unknown');
  });

  it('after ten minutes', async () => {
    const path = await world.agree(await world.begin());
    await world.db.query(`UPDATE control.consent SET expires_at = expires_at - interval '601 seconds'`);
    await refused(path, 'connect.state_expired');
    expect(await accounts()).toEqual([]);
  });

  it('with the nonce or the challenge of another', async () => {
    for (const [name, code] of [
      ['nonce', 'microsoft.identity_unproven'],
      ['code_challenge', 'microsoft.consent_ended'],
    ] as const) {
      const url = new URL(await world.begin());
      const other = new URL(await world.begin());
      url.searchParams.set(name, other.searchParams.get(name) ?? '');
      await refused(await world.agree(url.href), code);
    }
    expect(await accounts()).toEqual([]);
  });

  it('when somebody else signs in than who owns the account', async () => {
    const account = await connected(ADA);
    const text = await refused(
      await world.agree(await world.begin(`?account=${account.id}`), BOB),
      'connect.other_owner',
    );
    expect(text).toContain('sign in as its owner');
    expect(await accounts()).toEqual([account]);
    expect(await me(await accessTokenOf(account.id))).toMatchObject({ mail: ADA });
  });

  it('when the account is of another provider, is not there, or came back at another', async () => {
    const settings = { host: 'imap.example.com', secure: true, user: ADA };
    const body = { provider: 'imap', settings, credential: { password: 'x' } };
    const { id } = (await world.call('POST', '/v1/accounts', body)).body;
    await expect(world.begin(`?account=${id}`)).rejects.toThrow('connect.other_provider');
    await expect(world.begin('?account=0190a000-0000-7000-8000-000000000001')).rejects.toThrow(
      'account.unknown',
    );
    const path = await world.agree(await world.begin());
    await refused(path.replace('microsoft', 'imap'), 'connect.other_provider');
    const imap = await world.call('GET', '/v1/connect/imap');
    expect(imap).toMatchObject({ status: 400, body: { error: { code: 'connect.unsupported' } } });
    expect((await world.call('GET', '/v1/connect/pigeon')).body).toMatchObject({
      error: { code: 'account.provider' },
    });
  });

  it('when the person declines, in words, and without markup that somebody put into the address', async () => {
    world.simulator.control.failSignIn({ at: 'authorize', times: 1, aadsts: 65004 });
    const text = await refused(await world.agree(await world.begin()), 'microsoft.not_agreed');
    expect(text).toContain('sign in again and agree');
    const state = new URL(await world.begin()).searchParams.get('state');
    const markup = encodeURIComponent('<script>alert(1)</script>');
    const path = `/v1/connect/microsoft/callback?state=${state}&error=access_denied&error_description=${markup}`;
    const shown = await refused(path, 'microsoft.not_agreed');
    expect(shown).not.toContain('<script');
  });

  it('when Microsoft is down, and may be tried again from the beginning', async () => {
    world.simulator.control.failSignIn({ at: 'token', times: 1, status: 503 });
    await refused(await world.agree(await world.begin()), 'microsoft.sign_in_unavailable');
    await connected();
  });
});

describe('an application that acts for itself', () => {
  const add = (settings: object = { mailbox: ADA }, credential: object = { kind: 'app' }) =>
    world.call('POST', '/v1/accounts', { provider: 'microsoft', settings, credential });

  it('is an account of the mailbox it names, once', async () => {
    const { status, body } = await add();
    expect([status, body.name, body.connect]).toEqual([201, ADA, null]);
    const again = await add({ mailbox: ADA.toUpperCase() });
    expect([again.status, again.body.id]).toEqual([200, body.id]);
    const headers = { authorization: `Bearer ${await accessTokenOf(body.id)}` };
    const url = `${world.simulator.graph.url}/users/${ADA}/mailFolders`;
    expect((await fetch(url, { headers })).status).toBe(200);
  });

  it('gets a new credential, but no other mailbox', async () => {
    const { id } = (await add()).body;
    const patch = (body: object) => world.call('PATCH', `/v1/accounts/${id}`, body);
    expect(await patch({ credential: { kind: 'app' } })).toMatchObject({ status: 200 });
    expect(await patch({ settings: { mailbox: ADA, directory: 'contoso.example.com' } })).toMatchObject({
      status: 200,
    });
    for (const [settings, says] of [
      [{ mailbox: BOB }, 'as an account of its own'],
      [{ mailbox: 'bob' }, 'body/settings/mailbox'],
    ] as const) {
      const { status, body } = await patch({ settings });
      expect(status).toBe(400);
      expect(JSON.stringify(body)).toContain(says);
    }
  });

  it.each([
    ['no mailbox', { mailbox: null }, { kind: 'app' }, 'body/settings'],
    ['a refresh token', { mailbox: ADA }, { kind: 'user', refreshToken: 'x', scope: 'y' }, 'body/credential'],
  ])('is refused with %s', async (_what, settings, credential, where) => {
    const { status, body } = await add(settings, credential);
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(where);
  });

  it('does not take over the account of a person', async () => {
    const { id } = await connected();
    for (const body of [{ credential: { kind: 'app' } }, { settings: { mailbox: BOB } }]) {
      const answer = await world.call('PATCH', `/v1/accounts/${id}`, body);
      expect(answer.status).toBe(400);
      expect(JSON.stringify(answer.body)).toContain(`/v1/connect/microsoft?account=${id}`);
    }
    expect((await world.call('PATCH', `/v1/accounts/${id}`, { name: 'Ada' })).body.name).toBe('Ada');
  });
});
