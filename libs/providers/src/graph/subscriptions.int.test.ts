// Subscriptions at a simulated Graph that calls a real endpoint of ours.
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { readEnv } from '@mailstream/runtime';
import { DEMO_CLIENT } from '@mailstream/simulators';
import { createGraphAccount, type SimulatedAccount } from '@mailstream/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Subscriptions } from '../provider.ts';
import { readMicrosoftConfig } from './config.ts';
import { createGraphProvider } from './index.ts';
import { microsoftWebhook } from './notification.ts';

const DAY = 24 * 60 * 60_000;
const SECRET = 'secret-1';

let account: SimulatedAccount;
let endpoint: Endpoint;
let subscriptions: Subscriptions;
const { signal } = new AbortController();

interface Endpoint extends AsyncDisposable {
  readonly url: string;
  /** Bodies by path. */
  readonly bodies: { readonly path: string; readonly body: unknown }[];
}

/** Answers as the gateway does. */
async function startEndpoint(): Promise<Endpoint> {
  const bodies: { path: string; body: unknown }[] = [];
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const challenge = searchParams.get('validationToken');
    if (challenge !== null) return response.writeHead(200, { 'content-type': 'text/plain' }).end(challenge);
    bodies.push({ path: pathname, body: await json(request) });
    return response.writeHead(202).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/v1/webhooks/microsoft`,
    bodies,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function connect(accessToken: string, mailbox: string | null): Promise<Subscriptions> {
  const { control, graph } = account.simulator;
  const provider = createGraphProvider(readMicrosoftConfig(readEnv({ MS_GRAPH_URL: graph.url })), {
    now: control.now,
  });
  const credential = { accessToken, expiresAt: new Date(control.now() + DAY).toISOString() };
  const session = await provider.connect({
    account: 'a',
    settings: { mailbox },
    credential,
    renew: async () => credential,
    signal,
  });
  if (!session.subscriptions) throw new Error('no subscriptions');
  return session.subscriptions;
}

const issue = (mailbox: string) => account.simulator.control.issueToken({ mailbox, expiresInMs: 30 * DAY });
const at = () => ({ notificationUrl: endpoint.url, signal });
const create = (of = subscriptions, notificationUrl = endpoint.url) =>
  of.create({ notificationUrl, secret: SECRET, signal });
const received = () =>
  endpoint.bodies.flatMap(({ path, body }) =>
    (microsoftWebhook.read(body) ?? []).map((one) => ({ path, ...one })),
  );

beforeEach(async () => {
  account = await createGraphAccount();
  endpoint = await startEndpoint();
  subscriptions = await connect(issue(account.mailbox), null);
});
afterEach(async () => {
  account.simulator.control.assertContract();
  await account.close();
  await endpoint[Symbol.asyncDispose]();
});

describe('a subscription', () => {
  it('lasts for days, and tells of changes with the secret and immutable ids', async () => {
    const { control } = account.simulator;
    const { id, expiresAt } = await create();
    expect(expiresAt.getTime() - control.now()).toBeGreaterThan(6.5 * DAY);
    const [message = ''] = control.deliver({ mailbox: account.mailbox });
    await expect
      .poll(received)
      .toEqual([{ path: '/v1/webhooks/microsoft', subscription: id, secret: SECRET, about: 'changed' }]);
    expect(JSON.stringify(endpoint.bodies)).toContain(message);
  });

  it('tells what becomes of itself at an address of its own', async () => {
    const { id } = await create();
    for (const event of ['missed', 'reauthorizationRequired', 'subscriptionRemoved'] as const)
      account.simulator.control.lifecycle({ mailbox: account.mailbox, event });
    const path = '/v1/webhooks/microsoft/lifecycle';
    await expect
      .poll(received)
      .toEqual(
        ['missed', 'ending', 'ending'].map((about) => ({ path, subscription: id, secret: SECRET, about })),
      );
  });

  it('is renewed', async () => {
    const { id, expiresAt } = await create();
    account.simulator.control.advance({ ms: 3 * DAY });
    const renewed = await subscriptions.renew(id, at());
    expect((renewed?.expiresAt.getTime() ?? 0) - expiresAt.getTime()).toBe(3 * DAY);
  });

  it('that has ended is not renewed, and ended again without complaint', async () => {
    const { id } = await create();
    await subscriptions.end(id, signal);
    await subscriptions.end(id, signal);
    expect(await subscriptions.renew(id, at())).toBeNull();
    expect((await create()).id).not.toBe(id);
    account.simulator.control.advance({ ms: 7 * DAY });
    expect(await subscriptions.renew('no/such?thing', at())).toBeNull();
  });

  it('made twice takes the place of the first, and leaves those of other mailboxes alone', async () => {
    const { control } = account.simulator;
    const { address: other } = control.createMailbox({ address: 'bob@example.com' });
    const ofOther = await connect(issue(other), null);
    const theirs = await create(ofOther);
    const first = await create();
    const second = await create();
    expect(await subscriptions.renew(first.id, at())).toBeNull();
    expect(await subscriptions.renew(second.id, at())).not.toBeNull();
    expect(await ofOther.renew(theirs.id, at())).not.toBeNull();
  });

  it('of an application that acts for itself is of one mailbox', async () => {
    const { control, entra } = account.simulator;
    const answer = await fetch(`${entra.url}/common/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: DEMO_CLIENT.id,
        client_secret: DEMO_CLIENT.secret ?? '',
        scope: 'https://graph.microsoft.com/.default',
      }),
    });
    const { access_token: token }: { access_token: string } = JSON.parse(await answer.text());
    const { address: other } = control.createMailbox({ address: 'bob@example.com' });
    const [mine, theirs] = [await connect(token, account.mailbox), await connect(token, other)];
    const kept = await create(theirs);
    const [first, second] = [await create(mine), await create(mine)];
    expect(await mine.renew(first.id, at())).toBeNull();
    expect(await theirs.renew(kept.id, at())).not.toBeNull();
    control.deliver({ mailbox: account.mailbox });
    await expect.poll(() => received().map(({ subscription }) => subscription)).toEqual([second.id]);
  });
});

describe('what Microsoft refuses is told in words', () => {
  it('when it cannot reach us', async () => {
    await expect(create(subscriptions, 'http://127.0.0.1:9/v1/webhooks/microsoft')).rejects.toMatchObject({
      failure: 'permanent',
      code: 'graph.webhook_unreachable',
      message: expect.stringMatching(/127\.0\.0\.1:9.*MAILSTREAM_PUBLIC_URL must lead/),
    });
  });

  it('when another installation has the mailbox with the same application', async () => {
    await create();
    await using elsewhere = await startEndpoint();
    await expect(create(subscriptions, elsewhere.url)).rejects.toMatchObject({
      failure: 'conflict',
      code: 'graph.subscription_taken',
    });
  });

  it('when it is not well', async () => {
    const fault = { kind: 'status', status: 503 } as const;
    account.simulator.control.fault({ method: 'POST', path: '/subscriptions', times: 1, fault });
    await expect(create()).rejects.toMatchObject({ failure: 'network', code: 'graph.unavailable' });
  });
});
