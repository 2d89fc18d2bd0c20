// A Microsoft mailbox connected as a person does it: through the gateway, in a browser, with consent that ends and is given again.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Account, DoctorReport, MessageView, pageOf } from '@mailstream/contracts';
import { type Stack, startStack } from '@mailstream/devstack';
import { DEFAULT_TENANT } from '@mailstream/runtime';
import { createSimulator, DEMO_CLIENT, type Simulator } from '@mailstream/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChangeRecorder, countVerbs, problemsOf, recordChanges } from './change-recorder.ts';
import { createRest, type Rest } from './rest.ts';
import { until } from './until.ts';

const ADA = 'ada@example.com';
const BOB = 'bob@example.com';

let dir: string;
let simulator: Simulator;
let stack: Stack;
let rest: Rest;
let recorder: ChangeRecorder;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'mailstream-connect-'));
  simulator = await createSimulator({ startAt: Date.now(), realTime: true });
  for (const address of [ADA, BOB]) simulator.control.createMailbox({ address, messages: 40 });
  const ca = join(dir, 'ca.pem');
  writeFileSync(ca, simulator.entra.ca);
  setDefaultCACertificates([...getCACertificates('default'), simulator.entra.ca]);
  stack = await startStack({
    dir,
    env: {
      NODE_EXTRA_CA_CERTS: ca,
      MS_CLIENT_ID: DEMO_CLIENT.id,
      MS_CLIENT_SECRET: DEMO_CLIENT.secret ?? '',
      MS_AUTHORITY: `${simulator.entra.url}/common`,
      MS_GRAPH_URL: simulator.graph.url,
      MAILSTREAM_POLL_SECONDS: '1',
      MAILSTREAM_DEEP_POLL_SECONDS: '1',
    },
  });
  rest = createRest(stack.url, stack.token);
  recorder = await recordChanges(stack.natsUrl, DEFAULT_TENANT);
});
afterAll(async () => {
  await recorder?.stop();
  await stack?.stop();
  await simulator?.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Follows the redirects as a browser does, which has no token; only the first address is asked for by a program. */
async function signIn(as: string, account = ''): Promise<{ status: number; text: string }> {
  const started = await fetch(new URL(`/v1/connect/microsoft${account}`, stack.url), {
    headers: { authorization: `Bearer ${stack.token}` },
    redirect: 'manual',
  });
  const page = new URL(started.headers.get('location') ?? '');
  page.searchParams.set('account', as);
  const answer = await fetch(page);
  return { status: answer.status, text: await answer.text() };
}

async function accountOf(address: string): Promise<Account> {
  const { items } = await rest.get(pageOf(Account), '/v1/accounts');
  const found = items.find(({ name }) => name === address);
  if (!found) throw new Error(`${address} is not connected`);
  return found;
}

const stateIs = (address: string, state: Account['state']) =>
  until(`${address} is ${state}`, async () => {
    const account = await accountOf(address);
    expect(`${account.state} ${account.reason}`).toMatch(new RegExp(`^${state} `));
  });

async function messagesOf(address: string): Promise<MessageView[]> {
  const { id } = await accountOf(address);
  const { items } = await rest.get(pageOf(MessageView), `/v1/messages?account=${id}&limit=200`);
  return items;
}

const viewIsMailbox = (address: string) =>
  until(`the view of ${address} is its mailbox`, async () => {
    const truth = simulator.control.messages({ mailbox: address }).map(({ subject }) => subject);
    const view = (await messagesOf(address)).map(({ subject }) => subject);
    expect(view.sort()).toEqual(truth.sort());
  });

/** Requests for a folder's feed from its beginning on; what comes after an import has a link of another kind. */
const importRequests = (address: string) =>
  simulator.control
    .requests()
    .filter(({ mailbox, path }) => mailbox === address && path.endsWith('/messages/delta'))
    .filter(({ query }) => !query.includes('deltatoken'));

const verbsSince = (position: number, account: string) =>
  countVerbs(recorder.changes.slice(position).filter(({ event }) => event.account === account));

describe('a person', () => {
  it('signs in, and the mailbox is mirrored', async () => {
    for (const address of [ADA, BOB]) {
      const { status, text } = await signIn(address);
      expect({ status, text }).toEqual({ status: 200, text: expect.stringContaining(address) });
    }
    for (const address of [ADA, BOB]) {
      await stateIs(address, 'live');
      await viewIsMailbox(address);
    }
  });

  it('who takes consent back is asked for it, and nobody else is the worse', async () => {
    const { id } = await accountOf(ADA);
    simulator.control.revoke({ mailbox: ADA });
    await stateIs(ADA, 'reauth_required');
    const { findings } = await rest.get(DoctorReport, '/v1/doctor');
    expect(findings.find(({ level }) => level === 'fail')?.mend).toContain(`account reconnect ${id}`);
    expect((await accountOf(ADA)).advice).toContain(`account reconnect ${id}`);
    await until('the change stream tells it', () =>
      recorder.changes.some(
        ({ event }) =>
          event.type === 'mailstream.account.updated.v1' && event.data.state.state === 'reauth_required',
      ),
    );
    simulator.control.deliver({ mailbox: BOB, count: 3 });
    await viewIsMailbox(BOB);
  });

  it('who gives it again gets what came meanwhile and nothing else: the same ids, and no second import', async () => {
    const [{ id }, held, told] = [await accountOf(ADA), await messagesOf(ADA), recorder.changes.length];
    const asked = importRequests(ADA).length;
    simulator.control.deliver({ mailbox: ADA, count: 3 });
    const other = await signIn(BOB, `?account=${id}`);
    expect(other).toMatchObject({ status: 400, text: expect.stringContaining('connect.other_owner') });
    await stateIs(ADA, 'reauth_required');

    expect((await signIn(ADA, `?account=${id}`)).status).toBe(200);
    await stateIs(ADA, 'live');
    await viewIsMailbox(ADA);
    expect((await accountOf(ADA)).id).toBe(id);
    const now = new Map((await messagesOf(ADA)).map((message) => [message.id, message]));
    expect(held.map((message) => now.get(message.id))).toEqual(held);
    await until('the three are told', () => verbsSince(told, id)['message.created'] === 3);
    expect(Object.keys(verbsSince(told, id)).filter((verb) => verb.startsWith('message.'))).toEqual([
      'message.created',
    ]);
    expect(problemsOf(recorder.changes)).toEqual([]);
    expect(importRequests(ADA)).toHaveLength(asked);
  });

  it('is not asked for it when the application is rejected: that is for the operator', async () => {
    const before = await accountOf(ADA);
    // The simulator's clock alone: Graph finds the tokens expired, and the broker has to ask for others.
    simulator.control.failSignIn({ at: 'token', times: 1_000, aadsts: 7000222 });
    simulator.control.advance({ ms: 2 * 3_600_000 });
    await stateIs(ADA, 'failed');
    const { failure, credentialVersion } = await accountOf(ADA);
    expect(failure).toMatchObject({ failure: 'permanent', code: 'microsoft.app_rejected' });
    expect(credentialVersion).toBe(before.credentialVersion);
  });
});
