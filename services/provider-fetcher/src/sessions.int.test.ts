// Sessions and the token broker: what a fetcher asks with, and what it makes of the answer.
import { type Bus, connectBus } from '@mailstream/bus';
import { type CredentialsReply, hashToken, uuidv7 } from '@mailstream/contracts';
import type { ConnectRequest, Provider, Session } from '@mailstream/providers';
import { createLogger } from '@mailstream/runtime';
import { createNats, type TestNats } from '@mailstream/testing';
import { Type } from 'typebox';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createSessions } from './sessions.ts';

const logger = createLogger('test', 'silent');
const stop = new AbortController();

let nats: TestNats;
let bus: Bus;
let broker: Promise<void>;
/** What the broker was asked with, and what it answers next. */
let asked: unknown[];
const fetcher = expect.stringMatching(/^provider-fetcher .+\/\d+$/);
let answers: CredentialsReply[];
let connected: ConnectRequest;

const provider: Provider = {
  name: 'post',
  push: 'none',
  scope: 'account',
  settings: Type.Unknown(),
  credential: Type.Unknown(),
  describe: () => 'a letter box',
  async connect(request) {
    connected = request;
    const session: Session = {
      pull: async function* () {},
      usable: () => true,
      close: async () => undefined,
    };
    return session;
  },
};

beforeAll(async () => {
  nats = await createNats();
  bus = await connectBus({ url: nats.url, name: 'test', logger });
  broker = bus.respond('broker.credentials.*.*', 'test', answer, stop.signal);
});
afterAll(async () => {
  stop.abort();
  await broker;
  await bus.close();
  await nats.drop();
});
beforeEach(() => {
  asked = [];
});

async function answer(_subject: string, data: Uint8Array): Promise<CredentialsReply> {
  asked.push(JSON.parse(new TextDecoder().decode(data)));
  const next = answers.shift();
  if (!next) throw new Error('the broker was asked once too often');
  return next;
}

const gives = (credential: unknown): CredentialsReply => ({
  ok: true,
  settings: {},
  credential,
  credentialVersion: 1,
});
const token = (accessToken: string) => ({ accessToken, expiresAt: '2030-01-01T00:00:00.000Z' });

function open() {
  const sessions = createSessions({ bus, providers: [provider], logger, idleMs: 1_000 });
  const request = { tenant: 'default', account: uuidv7(), provider: 'post', credentialVersion: 1 };
  return sessions.open(request, stop.signal);
}

it('names the token that was refused, each time the one it had last', async () => {
  answers = [gives(token('one')), gives(token('two')), gives(token('three'))];
  await open();
  expect(connected.credential).toEqual(token('one'));
  expect(await connected.renew()).toEqual(token('two'));
  expect(await connected.renew()).toEqual(token('three'));
  expect(asked).toEqual([
    { fetcher },
    { fetcher, refused: hashToken('one') },
    { fetcher, refused: hashToken('two') },
  ]);
});

it('asks for a password again without naming it', async () => {
  answers = [gives({ password: 'one' }), gives({ password: 'two' })];
  await open();
  expect(await connected.renew()).toEqual({ password: 'two' });
  expect(asked).toEqual([{ fetcher }, { fetcher }]);
});

it.each([
  [undefined, null],
  [5_000, 5_000],
])('passes a refusal on with what it says: wait %s', async (retryAfterMs, expected) => {
  const refusal = { ok: false, failure: 'quota', code: 'post.busy', message: 'later' } as const;
  answers = [{ ...refusal, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }];
  await expect(open()).rejects.toMatchObject({
    name: 'ProviderError',
    failure: 'quota',
    code: 'post.busy',
    message: 'later',
    retryAfterMs: expected,
  });
});
