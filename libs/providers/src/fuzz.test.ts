/**
 * Every parser that reads bytes from outside, under whatever bytes: none throws, and what it makes is valid. The corpus in `fixtures/fuzz` has one
 * folder per parser; what ever broke one is added to it. `MAILSTREAM_FUZZ_SECONDS=60` plays for a minute.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MailboxChanged, MessagePlaced, MessageUpsert } from '@mailstream/contracts';
import { readEnv } from '@mailstream/runtime';
import { fuzzSeconds } from '@mailstream/testing';
import fc from 'fast-check';
import type { TSchema } from 'typebox';
import Value from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { addressesOf } from './gmail/addresses.ts';
import { refusalOf as gmailRefusal } from './gmail/errors.ts';
import { followLabels } from './gmail/labels.ts';
import { upsertOf as gmailUpsert, idOf, labelsIn, placedOf } from './gmail/message.ts';
import { createGmailWebhook } from './gmail/notification.ts';
import { readGooglePushConfig } from './gmail/push-config.ts';
import { createPushVerifier } from './gmail/push-token.ts';
import { signInError as googleSignInError } from './gmail/sign-in-errors.ts';
import { bodyOf, refusalOf as graphRefusal } from './graph/errors.ts';
import { folderOf } from './graph/folders.ts';
import { entityOf, upsertOf as graphUpsert, patchOf } from './graph/normalize.ts';
import { microsoftWebhook } from './graph/notification.ts';
import { signInError as microsoftSignInError } from './graph/sign-in-errors.ts';
import { imapError } from './imap/errors.ts';
import { upsertOf as imapUpsert } from './imap/normalize.ts';
import { parseJson } from './json.ts';
import { ProviderError } from './provider.ts';
import { byteChange, changed } from './testkit-bytes.ts';
import type { ReadNotifications } from './webhook.ts';

const CORPUS = join(import.meta.dirname, 'fixtures/fuzz');
const SECONDS = fuzzSeconds();

/** By folder of the corpus. Each takes text or bytes as they came, and throws when something is wrong. */
const PARSERS: Readonly<Record<string, (bytes: Uint8Array) => void | Promise<void>>> = {
  'microsoft-webhook': (bytes) => checkNotifications(microsoftWebhook.read, bytes),
  'google-webhook': (bytes) => checkNotifications(createGmailWebhook(PUSH).read, bytes),
  'push-token': async (bytes) => {
    const header = Buffer.from(bytes).toString('latin1');
    for (const authorization of [header, `Bearer ${header}`])
      expect((await verify(authorization)).outcome).not.toBe('genuine');
  },
  graph: (bytes) => {
    const value = bodyOf('application/json', textOf(bytes));
    checkFact(MessageUpsert, graphUpsert('box', 'id', entityOf(value), 'live'));
    patchOf('box', 'id', entityOf(value), 'live');
    expect(folderOf('id', value).name).not.toBe('');
    for (const status of [200, 400, 403, 404, 410, 429, 503]) {
      const answer = { status, header: () => textOf(bytes).slice(0, 50), body: value };
      expect(graphRefusal(answer, 0)).toBeInstanceOf(ProviderError);
    }
  },
  gmail: (bytes) => {
    const value = parseJson(textOf(bytes));
    checkFact(MessageUpsert, gmailUpsert('18c', value, new Set(labelsIn(value) ?? []), 'live'));
    checkFact(MessagePlaced, placedOf(idOf(value) ?? '18c', labelsIn(value), new Set(), 'live'));
    const asked = { state: 's', messages: 0, origin: 'live' } as const;
    for (const change of followLabels({ v: 1, told: {} }, value, asked).changes)
      checkFact(MailboxChanged, change);
    for (const status of [200, 400, 403, 404, 429, 503])
      expect(gmailRefusal({ status, retryAfter: textOf(bytes).slice(0, 50), body: value }, 0)).toBeInstanceOf(
        ProviderError,
      );
  },
  'sign-in': (bytes) => {
    const body = parseJson(textOf(bytes));
    for (const status of [200, 400, 401, 429, 503])
      for (const signInError of [googleSignInError, microsoftSignInError])
        expect(signInError({ status, body, retryAfterMs: null })).toBeInstanceOf(ProviderError);
  },
  addresses: (bytes) => {
    for (const text of [textOf(bytes), Buffer.from(bytes).toString('latin1')])
      for (const { name, address } of addressesOf(text)) expect(`${name}${address}`).not.toContain('\0');
  },
  'imap-row': (bytes) => {
    const said = Buffer.from(bytes).toString('latin1');
    const place = { host: 'imap.example.com', port: 993, user: 'ada', secrets: ['hunter2'] };
    for (const error of [
      { response: said },
      { responseText: said, responseStatus: 'NO' },
      { code: said },
      said,
    ]) {
      expect(imapError(error, place)).toBeInstanceOf(ProviderError);
    }
    const address = [{ name: said, address: said }];
    const envelope = { subject: said, messageId: said, from: address, to: address, date: said };
    const message = { uid: 5, flags: new Set([said]), envelope, headers: bytes, internalDate: said };
    checkFact(MessageUpsert, imapUpsert('box', '7', message, 'live'));
  },
};

// Nobody answers there: tokens that would need Google's keys cannot be judged, and are not believed.
const PUSH = readGooglePushConfig(
  readEnv({
    GOOGLE_PUSH_SERVICE_ACCOUNT: 'push@example.com',
    GOOGLE_PUSH_AUDIENCE: 'https://mail.example.com',
    GOOGLE_CERTS_URL: 'http://127.0.0.1:9',
  }),
  null,
);
const verify = createPushVerifier(PUSH);

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function checkNotifications(read: ReadNotifications, bytes: Uint8Array): void {
  for (const one of read(parseJson(textOf(bytes))) ?? []) {
    if (one === null) continue;
    expect(typeof one.subscription).toBe('string');
    expect(one.secret === null || typeof one.secret === 'string').toBe(true);
  }
}

function checkFact(schema: TSchema, fact: unknown): void {
  expect(Value.Errors(schema, fact)).toEqual([]);
  expect(JSON.stringify(fact)).not.toMatch(/\\u0000|\\ud[89a-f]/);
}

/** Names that every object has, and values that numbers and texts are seldom. */
const ODD = fc.constantFrom<unknown>(
  '__proto__',
  'constructor',
  'toString',
  '\0',
  '\ud800',
  -1,
  1e308,
  2 ** 53,
  '',
  null,
  [],
  {},
  'x'.repeat(5_000),
);

/** The nth member of a JSON value, at any depth, is something else. */
function withOther(text: string, nth: number, other: unknown): string {
  let members = 0;
  const count = (_key: string, value: unknown) => {
    members += 1;
    return value;
  };
  const value = JSON.parse(text, count);
  let at = 0;
  const chosen = nth % members;
  return JSON.stringify(value, (_key, one: unknown) => (at++ === chosen ? other : one)) ?? 'null';
}

/** Bytes of the corpus with something cut out, put in, said twice or turned around. */
function mutated(corpus: readonly Buffer[]): fc.Arbitrary<Uint8Array> {
  const byBytes = fc
    .tuple(fc.constantFrom(...corpus), fc.array(byteChange(4_000), { maxLength: 4 }))
    .map(([seed, changes]) => changes.reduce<Uint8Array>(changed, seed));
  const json = corpus.map((seed) => seed.toString()).filter((text) => parseJson(text) !== undefined);
  if (json.length === 0) return fc.oneof(byBytes, fc.uint8Array({ maxLength: 200 }));
  const byMembers = fc
    .tuple(
      fc.constantFrom(...json),
      fc.array(fc.tuple(fc.nat(200), fc.oneof(ODD, fc.jsonValue())), { maxLength: 4 }),
    )
    .map(([seed, changes]) => changes.reduce((text, [nth, other]) => withOther(text, nth, other), seed))
    .map((text) => Buffer.from(text));
  return fc.oneof(
    { arbitrary: byMembers, weight: 3 },
    { arbitrary: byBytes, weight: 2 },
    fc.json().map((text) => Buffer.from(text)),
  );
}

const names = Object.keys(PARSERS);

it('every parser has a corpus, and every corpus a parser', () => {
  expect(readdirSync(CORPUS).toSorted()).toEqual(names.toSorted());
});

describe.each(names)('%s', (name) => {
  const folder = join(CORPUS, name);
  const files = readdirSync(folder);
  const parse = PARSERS[name] ?? expect.fail(`there is no parser ${name}`);

  it.each(files)('%s of the corpus', async (file) => {
    await parse(readFileSync(join(folder, file)));
  });

  it(
    'anything else',
    async () => {
      const seeds = files.map((file) => readFileSync(join(folder, file)));
      const play = fc.asyncProperty(mutated(seeds), async (bytes) => {
        await parse(bytes);
      });
      const long = {
        numRuns: Number.MAX_SAFE_INTEGER,
        interruptAfterTimeLimit: (SECONDS * 1_000) / names.length,
      };
      await fc.assert(play, SECONDS > 0 ? long : { numRuns: 150 });
    },
    30_000 + SECONDS * 1_000,
  );
});
