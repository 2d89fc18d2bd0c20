import { createPublicKey, verify } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TokenVariant } from '../behaviour.ts';
import { at, type GmailWorld, listOf, refusal, startGmail } from '../gmail/testkit.ts';
import { isObject, type Json, type JsonObject, until } from '../testkit.ts';

const PROJECT = 'projects/demo-project';
const TOPIC = `${PROJECT}/topics/gmail`;
const SUBSCRIPTION = `${PROJECT}/subscriptions/gmail`;
const SENDER = 'push@demo-project.iam.gserviceaccount.com';

const decode = (text: Json) => Buffer.from(String(text), 'base64').toString();
const parse = (text: string): JsonObject => JSON.parse(text);

describe('Pub/Sub', () => {
  let world: GmailWorld;
  let endpoint: Endpoint;
  beforeEach(async () => {
    world = await startGmail();
    endpoint = await startEndpoint();
    world.control.createTopic({ topic: TOPIC });
  });
  afterEach(async () => {
    await world[Symbol.asyncDispose]();
    await endpoint[Symbol.asyncDispose]();
  });

  const pushTo = (more: object = {}) =>
    world.control.subscribe({
      subscription: SUBSCRIPTION,
      topic: TOPIC,
      pushEndpoint: endpoint.url,
      serviceAccountEmail: SENDER,
      ...more,
    });
  const publish = (data = 'hello') => world.control.publish({ topic: TOPIC, data });
  const settle = () => until(() => world.control.pushes().underWay === 0);

  test('B9.22 an envelope with both spellings, and the history id as a number that may be too big for one', async () => {
    pushTo();
    const huge = 2n ** 60n + 1n;
    world.control.createMailbox({
      address: 'old@example.com',
      provider: 'google',
      historyStart: String(huge),
    });
    const token = world.control.issueToken({ mailbox: 'old@example.com' });
    await world.gmail('/watch', { body: { topicName: TOPIC }, token });
    await until(() => endpoint.posts().length === 1);
    const message = {
      data: expect.any(String),
      messageId: expect.stringMatching(/^\d+$/),
      publishTime: new Date(world.control.now()).toISOString(),
    };
    const [post] = endpoint.posts();
    expect(post?.body).toEqual({
      message: {
        ...message,
        message_id: at(post?.body, 'message', 'messageId'),
        publish_time: message.publishTime,
      },
      subscription: SUBSCRIPTION,
    });
    expect(decode(at(post?.body, 'message', 'data'))).toBe(
      `{"emailAddress":"old@example.com","historyId":${huge}}`,
    );
    world.control.behave({ push: { historyId: 'string', base64: 'url' } });
    await world.gmail('/watch', { body: { topicName: TOPIC }, token });
    await until(() => endpoint.posts().length === 2);
    expect(decode(at(endpoint.posts()[1]?.body, 'message', 'data'))).toContain(`"historyId":"${huge}"`);
  });

  test('B9.22 only 102, 200, 201, 202 and 204 are an acknowledgement; else it comes again, later each time', async () => {
    pushTo();
    for (const status of [200, 201, 202, 204]) {
      endpoint.respond(status);
      publish();
      await settle();
    }
    expect(world.control.pushes()).toMatchObject({ acknowledged: 4, failed: 0 });
    endpoint.respond(203);
    publish();
    await until(() => world.control.pushes().failed === 1);
    const { messageId } = Object(at(endpoint.posts().at(-1)?.body, 'message'));
    world.control.advance({ ms: 999 });
    expect(endpoint.posts()).toHaveLength(5);
    world.control.advance({ ms: 1 });
    await until(() => world.control.pushes().failed === 2);
    endpoint.respond(204);
    world.control.advance({ ms: 1_999 });
    expect(endpoint.posts()).toHaveLength(6);
    world.control.advance({ ms: 1 });
    await until(() => world.control.pushes().acknowledged === 5);
    expect(at(endpoint.posts().at(-1)?.body, 'message', 'messageId')).toBe(messageId);
  });

  test('B9.22 no answer within the deadline is none; after seven days it is given up', async () => {
    pushTo();
    endpoint.respond('hold');
    publish();
    await until(() => endpoint.held() === 1);
    world.control.advance({ ms: 9_999 });
    expect(world.control.pushes()).toMatchObject({ failed: 0 });
    world.control.advance({ ms: 1 });
    await until(() => world.control.pushes().failed === 1);
    endpoint.respond(503);
    world.control.behave({ push: { keptMs: 3_000 } });
    world.control.advance({ ms: 1_000 });
    await until(() => world.control.pushes().lost === 1);
  });

  test('B9.22 duplicates, drops, delays, and pushes that overtake each other', async () => {
    pushTo();
    world.control.behave({ push: { duplicates: 1 } });
    publish();
    await until(() => endpoint.posts().length === 2);
    const ids = endpoint.posts().map(({ body }) => at(body, 'message', 'messageId'));
    expect(ids[0]).toBe(ids[1]);
    await settle();
    world.control.behave({ push: { duplicates: 0, drops: 1 } });
    publish();
    expect(world.control.pushes().underWay).toBe(0);
    world.control.behave({ push: { drops: 0, delayMs: [0, 1_000], reorders: 0.5 } });
    const names = Array.from({ length: 10 }, (_, index) => `m${index}`);
    for (const name of names) publish(name);
    for (let step = 0; step < 40; step++) {
      world.control.advance({ ms: 50 });
      await until(() => world.control.pushes().acknowledged === endpoint.posts().length);
    }
    await until(() => endpoint.posts().length === 12);
    const told = endpoint
      .posts()
      .slice(2)
      .map(({ body }) => decode(at(body, 'message', 'data')));
    expect(told).not.toEqual(names);
    expect(told.toSorted()).toEqual(names);
  });

  const tokenOf = async (variant: TokenVariant) => {
    world.control.behave({ push: { token: variant } });
    const { length } = endpoint.posts();
    publish();
    await until(() => endpoint.posts().length > length);
    return endpoint.posts().at(-1)?.headers.authorization?.replace('Bearer ', '') ?? null;
  };
  const check = async (token: string) => {
    const { body } = await world.google('/oauth2/v3/certs');
    const [jwk] = listOf(body, 'keys');
    const [head = '', claims = '', signature = ''] = token.split('.');
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
    const signed = Buffer.from(`${head}.${claims}`);
    const good = signature !== '' && verify('sha256', signed, key, Buffer.from(signature, 'base64url'));
    return { good, head: parse(decode(head)), claims: parse(decode(claims)) };
  };

  test('B9.22 pushes carry a token of Google, for the audience of the subscription', async () => {
    pushTo();
    const { good, head, claims } = await check((await tokenOf('good')) ?? '');
    expect([good, head.alg]).toEqual([true, 'RS256']);
    expect(claims).toMatchObject({
      aud: endpoint.url,
      email: SENDER,
      email_verified: true,
      iss: 'https://accounts.google.com',
    });
    expect(Number(claims.exp) * 1_000).toBe(world.control.now() + 3_600_000);
    const pem = await world.google('/oauth2/v1/certs');
    expect(String(pem.body[String(head.kid)])).toMatch(/^-----BEGIN CERTIFICATE-----/);
    pushTo({ audience: 'our-audience' });
    expect((await check((await tokenOf('good')) ?? '')).claims.aud).toBe('our-audience');
    pushTo({ serviceAccountEmail: undefined });
    expect(await tokenOf('good')).toBeNull();
  });

  test('B9.22 tokens of every kind that must be refused', async () => {
    pushTo();
    expect(await tokenOf('none')).toBeNull();
    const bad = async (variant: TokenVariant) => check((await tokenOf(variant)) ?? '');
    expect((await bad('wrong-audience')).claims.aud).not.toBe(endpoint.url);
    expect((await bad('wrong-email')).claims.email).not.toBe(SENDER);
    expect((await bad('unverified-email')).claims.email_verified).toBe(false);
    expect((await bad('wrong-issuer')).claims.iss).not.toMatch(/google/);
    const expired = await bad('expired');
    expect([expired.good, Number(expired.claims.exp) * 1_000 < world.control.now()]).toEqual([true, true]);
    expect((await bad('forged')).good).toBe(false);
    expect((await bad('unsigned')).head.alg).toBe('none');
  });

  test('B9.23 pull, acknowledge, and what is not acknowledged comes again', async () => {
    const create = await world.pubsub(SUBSCRIPTION, {
      method: 'PUT',
      body: { topic: TOPIC, ackDeadlineSeconds: 20 },
    });
    expect(create.body).toMatchObject({ name: SUBSCRIPTION, topic: TOPIC, ackDeadlineSeconds: 20 });
    const pull = async (more: object = { returnImmediately: true }) =>
      listOf(
        (await world.pubsub(`${SUBSCRIPTION}:pull`, { body: { maxMessages: 10, ...more } })).body,
        'receivedMessages',
      );
    const post = (action: string, body: object) => world.pubsub(`${SUBSCRIPTION}:${action}`, { body });
    expect(await pull()).toEqual([]);
    for (const data of ['one', 'two', 'three']) publish(data);
    const first = await pull({ maxMessages: 2 });
    expect(first.map(({ message }) => decode(at(message, 'data')))).toEqual(['one', 'two']);
    expect(await pull()).toHaveLength(1);
    await post('acknowledge', { ackIds: [first[0]?.ackId] });
    await post('modifyAckDeadline', { ackIds: [first[1]?.ackId], ackDeadlineSeconds: 0 });
    const again = await pull();
    expect(
      again.map(({ message, deliveryAttempt }) => [decode(at(message, 'data')), deliveryAttempt]),
    ).toEqual([['two', 2]]);
    expect(again[0]?.ackId).not.toBe(first[1]?.ackId);
    world.control.advance({ ms: 20_000 });
    const late = await pull();
    expect(late).toHaveLength(2);
    await post('acknowledge', { ackIds: late.map(({ ackId }) => ackId) });
    expect(world.control.unacknowledged({ subscription: SUBSCRIPTION })).toBe(0);
    const waiting = pull({});
    await until(() => world.control.requests().at(-1)?.path.endsWith(':pull') ?? false);
    publish('four');
    expect((await waiting).map(({ message }) => decode(at(message, 'data')))).toEqual(['four']);
  });

  test('B9.23 what is wrong with a pull', async () => {
    const pull = (name: string, token?: string) =>
      world.pubsub(`${PROJECT}/subscriptions/${name}:pull`, {
        body: { maxMessages: 1 },
        ...(token === undefined ? {} : { token }),
      });
    expect(refusal(await pull('none'))).toMatchObject({
      status: 404,
      message: 'Resource not found (resource=none).',
    });
    pushTo();
    expect(refusal(await pull('gmail')).reason).toBe('failedPrecondition');
    expect((await pull('gmail', 'nonsense')).status).toBe(401);
    expect((await pull('gmail', world.tokenFor('readonly'))).status).toBe(403);
    world.control.fault({ path: ':pull', times: 1, fault: { kind: 'status', status: 503 } });
    expect((await pull('gmail')).status).toBe(503);
    expect((await world.pubsub(SUBSCRIPTION)).body.pushConfig).toMatchObject({ pushEndpoint: endpoint.url });
    expect((await world.pubsub(SUBSCRIPTION, { method: 'DELETE' })).status).toBe(200);
    expect((await world.pubsub(SUBSCRIPTION)).status).toBe(404);
  });
});

interface Endpoint extends AsyncDisposable {
  readonly url: string;
  posts(): readonly { readonly headers: IncomingHttpHeaders; readonly body: JsonObject }[];
  respond(how: number | 'hold'): void;
  held(): number;
}

async function startEndpoint(): Promise<Endpoint> {
  const posts: { headers: IncomingHttpHeaders; body: JsonObject }[] = [];
  const held: ServerResponse[] = [];
  let how: number | 'hold' = 204;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body: Json = JSON.parse(Buffer.concat(chunks).toString());
      posts.push({ headers: request.headers, body: isObject(body) ? body : {} });
      if (how === 'hold') held.push(response);
      else response.writeHead(how).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/v1/webhooks/google`,
    posts: () => posts,
    respond: (next) => {
      how = next;
    },
    held: () => held.length,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
