// Access tokens against the simulator's Entra: one refresh whoever asks, stored before anybody has it, and failures that hit whom they should.
import { type CredentialsReply, hashToken } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import type { AccessToken, Provider } from '@mailstream/providers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type MicrosoftWorld, startMicrosoftWorld } from '../testkit.ts';
import { createAccessTokens } from './access-tokens.ts';
import type { Stored } from './vault.ts';

const ADA = 'ada@example.com';
const MINUTE = 60_000;
const TOKEN_ENDPOINT = '/oauth2/v2.0/token$';

interface Kept {
  grant: { kind: string; refreshToken: string; scope: string };
  access: AccessToken;
  replacedAt: string | null;
}

let world: MicrosoftWorld;
let account: string;
const databases: Db[] = [];

beforeAll(async () => {
  world = await startMicrosoftWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  await world.signIn();
  const { body } = await world.call<{ items: { id: string }[] }>('GET', '/v1/accounts');
  account = body.items[0]?.id ?? '';
  world.simulator.control.clearRequests();
});
afterEach(async () => {
  world.simulator.control.clearFaults();
  await Promise.all(databases.splice(0).map((db) => db.close()));
  await world.remove(account);
});

const purpose = () => ({ kind: 'credential', of: account }) as const;

async function stored(): Promise<Stored> {
  const [row] = await world.db.query<Stored>(
    'SELECT key_id AS "keyId", data_key AS "dataKey", sealed FROM control.credential WHERE account = $1',
    [account],
  );
  if (!row) throw new Error('there is no credential');
  return row;
}

const opened = async () => world.vault.open(purpose(), await stored());
const kept = async () => (await opened()).value as Kept;

/** As if the token ended in `left` milliseconds, and had replaced a refused one `replaced` milliseconds ago. */
async function age({ left, replaced = 60 * MINUTE }: { left: number; replaced?: number }): Promise<Kept> {
  const { grant, access } = await kept();
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  const aged = { grant, access: { ...access, expiresAt: at(left) }, replacedAt: at(-replaced) };
  const bytes = (await opened()).reseal(aged);
  await world.db.query('UPDATE control.credential SET sealed = $2 WHERE account = $1', [account, bytes]);
  return aged;
}

/** A broker's store in a process of its own, as far as the database can tell. */
async function process() {
  const { oauth } = world.providers.find(({ name }) => name === 'microsoft') as Provider;
  if (!oauth) throw new Error('microsoft is not signed in with');
  const db = await world.connect();
  databases.push(db);
  const { get } = createAccessTokens({ db, vault: world.vault });
  return async (refused: string | null = null) => get({ account, oauth, stored: await stored() }, refused);
}

function tokenOf(reply: CredentialsReply): string {
  if (!reply.ok) throw new Error(`${reply.code}: ${reply.message}`);
  return (reply.credential as AccessToken).accessToken;
}

/** Breaks the connection of the process that waits for Microsoft inside its transaction. */
async function breakTransaction(): Promise<void> {
  const broken = await world.db.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity, LATERAL pg_terminate_backend(pid, 5000)
      WHERE datname = current_database() AND state = 'idle in transaction'`,
  );
  expect(broken).toHaveLength(1);
}

describe('an access token', () => {
  it('is handed out until five to seven minutes before its end, and then another', async () => {
    const first = tokenOf(await world.credentialsOf(account));
    await age({ left: 7.1 * MINUTE });
    expect(tokenOf(await world.credentialsOf(account))).toBe(first);
    expect(world.tokenRequests()).toBe(0);
    await age({ left: 4.9 * MINUTE });
    const second = tokenOf(await world.credentialsOf(account));
    expect(second).not.toBe(first);
    expect(tokenOf(await world.credentialsOf(account))).toBe(second);
    expect(world.tokenRequests()).toBe(1);
  });

  it('comes alone: nothing of the grant leaves the orchestrator', async () => {
    const reply = await world.credentialsOf(account);
    expect(reply).toEqual({
      ok: true,
      settings: { mailbox: null, user: ADA },
      credential: { accessToken: expect.any(String), expiresAt: expect.any(String) },
      credentialVersion: 1,
    });
  });

  it('is issued once, however many ask in however many processes', async () => {
    const before = await age({ left: 0 });
    world.simulator.control.fault({ path: TOKEN_ENDPOINT, times: 1, fault: { kind: 'hold' } });
    const processes = await Promise.all([process(), process()]);
    const asked = processes.flatMap((get) => [get(), get(), get()]);
    await expect.poll(() => world.simulator.control.held()).toBe(1);
    world.simulator.control.release();
    const tokens = await Promise.all(asked);
    expect(new Set(tokens.map(({ accessToken }) => accessToken)).size).toBe(1);
    expect(world.tokenRequests()).toBe(1);
    expect((await kept()).grant.refreshToken).not.toBe(before.grant.refreshToken);
  });

  it('is issued anew when it is refused, once for all who were refused', async () => {
    const first = tokenOf(await world.credentialsOf(account));
    const refused = hashToken(first);
    const answers = await Promise.all(
      [refused, refused, refused].map((hash) => world.credentialsOf(account, { refused: hash })),
    );
    const [second] = answers.map(tokenOf);
    expect(second).not.toBe(first);
    expect(new Set(answers.map(tokenOf)).size).toBe(1);
    // Whoever comes late with the old one gets the new one.
    expect(tokenOf(await world.credentialsOf(account, { refused }))).toBe(second);
    expect(world.tokenRequests()).toBe(1);
  });

  it('that replaced a refused one and is refused too is not replaced for a minute', async () => {
    const again = async (token: string) => world.credentialsOf(account, { refused: hashToken(token) });
    const second = tokenOf(await again(tokenOf(await world.credentialsOf(account))));
    const reply = await again(second);
    expect(reply).toMatchObject({ ok: false, failure: 'conflict', code: 'account.token_refused' });
    expect(!reply.ok && reply.retryAfterMs).toBeGreaterThan(50_000);
    expect(world.tokenRequests()).toBe(1);
    await age({ left: 50 * MINUTE, replaced: MINUTE });
    expect(tokenOf(await again(second))).not.toBe(second);
  });

  it('is not kept waiting by another account whose provider does not answer', async () => {
    const settings = { host: 'imap.example.com', secure: true, user: ADA };
    const body = { provider: 'imap', settings, credential: { password: 'secret' } };
    const { id } = (await world.call('POST', '/v1/accounts', body)).body;
    await age({ left: 0 });
    world.simulator.control.fault({ path: TOKEN_ENDPOINT, times: 1, fault: { kind: 'hold' } });
    const slow = world.credentialsOf(account);
    await expect.poll(() => world.simulator.control.held()).toBe(1);
    expect(await world.credentialsOf(id)).toMatchObject({ ok: true, credential: { password: 'secret' } });
    world.simulator.control.release();
    expect((await slow).ok).toBe(true);
    await world.remove(id);
  });
});

describe('a rotated grant', () => {
  it('is stored before its access token is handed out: who dies in between has told nobody', async () => {
    const before = await age({ left: 0 });
    world.simulator.control.fault({ path: TOKEN_ENDPOINT, times: 1, fault: { kind: 'hold' } });
    const get = await process();
    const lost = get();
    await expect.poll(() => world.simulator.control.held()).toBe(1);
    await breakTransaction();
    world.simulator.control.release();
    await expect(lost).rejects.toMatchObject({ code: 'db.transient' });
    expect((await kept()).grant).toEqual(before.grant);
    // Microsoft rotated, we did not store it: the grant before goes on working.
    const { accessToken } = await get();
    const after = await kept();
    expect(after.access.accessToken).toBe(accessToken);
    expect(after.grant.refreshToken).not.toBe(before.grant.refreshToken);
    expect(world.tokenRequests()).toBe(2);
  });

  it('whose answer was lost on the way is asked for again', async () => {
    await age({ left: 0 });
    world.simulator.control.fault({ path: TOKEN_ENDPOINT, times: 1, fault: { kind: 'reset' } });
    expect(await world.credentialsOf(account)).toMatchObject({ ok: false, failure: 'network' });
    expect((await world.credentialsOf(account)).ok).toBe(true);
  });

  it('that another process stored is not judged by the refusal of the one before it', async () => {
    await age({ left: 0 });
    world.simulator.control.fault({ path: TOKEN_ENDPOINT, times: 1, fault: { kind: 'hold' } });
    world.simulator.control.failSignIn({ at: 'token', times: 1, aadsts: 70000 });
    const [get, other] = await Promise.all([process(), process()]);
    const late = get();
    await expect.poll(() => world.simulator.control.held()).toBe(1);
    await breakTransaction();
    const { accessToken } = await other();
    world.simulator.control.release();
    // Not the account's failure: the connection's.
    await expect(late).rejects.toMatchObject({ code: 'db.transient' });
    expect((await get()).accessToken).toBe(accessToken);
  });
});

describe('a failure', () => {
  it.each([
    [50173, { failure: 'auth', code: 'microsoft.consent_ended' }],
    [50076, { failure: 'auth', code: 'microsoft.verification_needed' }],
    [53003, { failure: 'auth', code: 'microsoft.policy' }],
    [7000222, { failure: 'permanent', code: 'microsoft.app_rejected' }],
    [90033, { failure: 'network', code: 'microsoft.sign_in_unavailable' }],
  ])('AADSTS%i is told as what it is', async (aadsts, expected) => {
    await age({ left: 0 });
    world.simulator.control.failSignIn({ at: 'token', times: 1, aadsts });
    expect(await world.credentialsOf(account)).toMatchObject({ ok: false, ...expected });
    expect((await world.credentialsOf(account)).ok).toBe(true);
  });

  it('that says when to come back is passed on with it', async () => {
    await age({ left: 0 });
    world.simulator.control.failSignIn({ at: 'token', times: 1, status: 429 });
    expect(await world.credentialsOf(account)).toMatchObject({
      ok: false,
      failure: 'quota',
      retryAfterMs: 5_000,
    });
  });

  it('that passes is not felt while the token before lasts, one of the consent is', async () => {
    const { access } = await age({ left: 3 * MINUTE });
    for (const aadsts of [90033, 7000222]) {
      world.simulator.control.failSignIn({ at: 'token', times: 1, aadsts });
      expect(tokenOf(await world.credentialsOf(account))).toBe(access.accessToken);
    }
    world.simulator.control.revoke({ mailbox: ADA });
    expect(await world.credentialsOf(account)).toMatchObject({ ok: false, failure: 'auth' });
  });

  it('of what is stored is the vault’s, not the owner’s', async () => {
    const { keyId, dataKey, sealed } = await world.vault.seal({ kind: 'credential', of: 'another' }, {});
    await world.db.query(
      'UPDATE control.credential SET key_id = $2, data_key = $3, sealed = $4 WHERE account = $1',
      [account, keyId, dataKey, sealed],
    );
    expect(await world.credentialsOf(account)).toMatchObject({
      ok: false,
      failure: 'permanent',
      code: 'vault.unreadable',
    });
  });
});
