// The audit trail: every control action with who and from where, uses of credentials in few rows, of one's own tenant only, and append-only for everybody.
import { type Account, type AuditEntry, uuidv7 } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { CLIENT_IP_HEADER, createLogger, REQUEST_ID_HEADER } from '@mailstream/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MicrosoftWorld, startMicrosoftWorld } from '../testkit.ts';
import { type CredentialUse, createCredentialUses } from './credential-uses.ts';
import { recordDeed } from './trail.ts';

const logger = createLogger('test', 'silent');
const PAGE = { items: [] as AuditEntry[], next: null as string | null };

let world: MicrosoftWorld;
beforeAll(async () => {
  world = await startMicrosoftWorld();
});
afterAll(() => world.stop());

const read = async (query = '') => (await world.call<typeof PAGE>('GET', `/v1/audit${query}`)).body;

async function actionsOf(account: string): Promise<string[]> {
  return (await read(`?account=${account}`)).items.map(({ action }) => action).reverse();
}

describe('a control action', () => {
  it('is told with who did it, from where, and in which request', async () => {
    const settings = { host: 'imap.example.com', secure: true, user: 'ada' };
    const { body } = await world.call('POST', '/v1/accounts', {
      provider: 'imap',
      settings,
      credential: { password: 'not to be told' },
    });
    const at = `/v1/accounts/${body.id}`;
    await world.call('PATCH', at, { name: 'Ada' });
    await world.call('PATCH', at, { credential: { password: 'nor this' } });
    await world.call('POST', `${at}/pause`);
    await world.call('POST', `${at}/resume`);
    await world.remove(body.id);
    expect(await actionsOf(body.id)).toEqual([
      'account.connected',
      'account.updated',
      'account.reauthorised',
      'account.paused',
      'account.resumed',
      'account.removed',
      'account.erased',
    ]);
    const { items } = await read(`?account=${body.id}&action=account.paused`);
    expect(items).toEqual([
      {
        id: expect.any(String),
        at: expect.stringMatching(/Z$/),
        actor: expect.stringMatching(/./),
        action: 'account.paused',
        account: body.id,
        ip: '127.0.0.1',
        requestId: expect.stringMatching(/./),
        detail: {},
      },
    ]);
    expect(JSON.stringify((await read()).items)).not.toMatch(/not to be told|nor this/);
  });

  it('on an API key is told by its prefix', async () => {
    const { body } = await world.call<{ prefix: string; key: string }>('POST', '/v1/api-keys', {
      name: 'CRM',
      scopes: ['messages:read'],
    });
    await world.call('DELETE', `/v1/api-keys/${body.prefix}`);
    const [revoked, created] = (await read('?limit=2')).items;
    expect(created).toMatchObject({ action: 'api_key.created', detail: { prefix: body.prefix } });
    expect(revoked).toMatchObject({ action: 'api_key.revoked', detail: { prefix: body.prefix } });
    expect(JSON.stringify([revoked, created])).not.toContain(body.key);
  });

  it('that is refused is none', async () => {
    const before = (await read()).items.length;
    const nobody = uuidv7();
    for (const verb of ['pause', 'resume'])
      expect((await world.call('POST', `/v1/accounts/${nobody}/${verb}`)).status).toBe(404);
    expect((await read()).items).toHaveLength(before);
  });

  it('of somebody who signs in is of who began it, from where the browser is', async () => {
    const path = await world.agree(await world.begin());
    const headers = { [CLIENT_IP_HEADER]: '203.0.113.7', [REQUEST_ID_HEADER]: 'request-7' };
    expect((await world.app.inject({ url: path, headers })).statusCode).toBe(200);
    const [connected, begun] = (await read('?limit=2')).items;
    expect(begun).toMatchObject({
      action: 'sign_in.begun',
      account: null,
      detail: { provider: 'microsoft' },
    });
    expect(connected).toMatchObject({
      action: 'account.connected',
      actor: begun?.actor,
      ip: '203.0.113.7',
      requestId: 'request-7',
    });
  });
});

describe('uses of a credential', () => {
  it('are told when the first fetcher gets it, and not each time', async () => {
    await world.signIn();
    const { items } = (await world.call<{ items: Account[] }>('GET', '/v1/accounts')).body;
    const account = items[0]?.id ?? '';
    for (const fetcher of ['one', 'one', 'two', 'one']) await world.credentialsOf(account, { fetcher });
    const uses = (await read(`?account=${account}&action=credential.used`)).items;
    expect(uses.map(({ actor }) => actor)).toEqual(['two', 'one']);
    expect(uses[0]?.detail).toMatchObject({ uses: 1, credentialVersion: items[0]?.credentialVersion });
  });

  it('that were counted are told in time, and when the process ends', async () => {
    const use: CredentialUse = {
      tenant: 'default',
      account: uuidv7(),
      fetcher: 'busy',
      credentialVersion: 1,
      refused: null,
    };
    const told = async () =>
      (await read(`?account=${use.account}`)).items
        .map(({ detail }) => Reflect.get(Object(detail), 'uses'))
        .reverse();
    const stop = new AbortController();
    const uses = createCredentialUses({ db: world.db, logger, tellMs: 0, lookMs: 20 });
    await Promise.all(Array.from({ length: 10 }, () => uses.note(use)));
    expect(await told()).toEqual([1]);
    const running = uses.part.run(stop.signal);
    await expect.poll(told).toEqual([1, 9]);
    stop.abort();
    await running;

    const last = createCredentialUses({ db: world.db, logger });
    for (let n = 0; n < 3; n += 1) await last.note(use);
    const ended = new AbortController();
    const ending = last.part.run(ended.signal);
    ended.abort();
    await ending;
    expect(await told()).toEqual([1, 9, 1, 2]);
  });
});

describe('the trail', () => {
  const deed = (db: Db, tenant: string) =>
    recordDeed(db, { tenant, actor: 'mallory', ip: null, requestId: null }, { action: 'keys.rotated' });

  it('of another tenant is not shown', async () => {
    await deed(world.db, 'elsewhere');
    expect((await read('?actor=mallory')).items).toEqual([]);
  });

  it('is read in pages', async () => {
    const whole = (await read('?limit=500')).items.map(({ id }) => id);
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const page: typeof PAGE = await read(`?limit=3${next && `&after=${next}`}`);
      seen.push(...page.items.map(({ id }) => id));
      next = page.next;
    }
    expect(seen).toEqual(whole);
    expect(whole.length).toBeGreaterThan(6);
  });

  it.each([
    `UPDATE control.audit SET actor = 'somebody else'`,
    'DELETE FROM control.audit',
    'TRUNCATE control.audit',
    'SELECT control.expire_audit(29)',
    'SELECT control.expire_audit(NULL)',
  ])('is not changed: %s', async (statement) => {
    await expect(world.db.query(statement)).rejects.toThrow(/append-only|30 days/);
  });

  it('lets go of what is old enough', async () => {
    await world.db.query(
      `INSERT INTO control.audit (id, at, tenant, actor, action, detail)
       VALUES ($1, now() - interval '31 days', 'default', 'old', 'keys.rotated', '{}'),
              ($2, now() - interval '29 days', 'default', 'old', 'keys.rotated', '{}')`,
      [uuidv7(), uuidv7()],
    );
    expect(await world.db.query('SELECT control.expire_audit(30) AS expired')).toEqual([{ expired: 1n }]);
    expect((await read('?actor=old')).items).toHaveLength(1);
  });
});
