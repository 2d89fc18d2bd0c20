/**
 * The IMAP connection under whatever bytes: what a server says is changed on its way, anywhere from the greeting to the last row. Whatever comes of
 * it is a valid fact or a `ProviderError`, and the process goes on. `MAILSTREAM_FUZZ_SECONDS=60` plays for a minute.
 */
import { createServer, connect as dial, type Server } from 'node:net';
import { MailboxChanged, MailboxListed, MessageChanged } from '@mailstream/contracts';
import { createReach } from '@mailstream/runtime';
import { fuzzSeconds, type ScriptServer, scriptMailbox, startScriptServer } from '@mailstream/testing';
import fc from 'fast-check';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { neverRenewed } from '../conformance-world.ts';
import { ProviderError } from '../provider.ts';
import { type ByteChange, byteChange, changed } from '../testkit-bytes.ts';
import { createImap } from './index.ts';

const SECONDS = fuzzSeconds();
/** About as many bytes as the whole conversation has. */
const REACH = 6_000;
/** Nobody says anything any more: one waits for what was cut out. */
const QUIET_MS = 150;
const WAIT_MS = 20_000;

const SCHEMAS = { message: MessageChanged, mailbox: MailboxChanged, listed: MailboxListed };

const imap = createImap(createReach('everywhere'));
let server: ScriptServer;
let between: Server;
let port: number;
/** What is done to the next conversation. */
let changes: readonly ByteChange[] = [];

beforeAll(async () => {
  const everything = 'IMAP4rev1 IDLE ENABLE CONDSTORE QRESYNC ESEARCH LIST-STATUS OBJECTID';
  server = await startScriptServer({ capability: everything });
  const messages = Array.from({ length: 6 }, (_, n) => ({
    uid: n + 1,
    modseq: BigInt(n + 1),
    emailId: `M${n}`,
    flags: ['\\Seen', '$Label'],
    references: `<${n}@example.com> <x@example.com>`,
    envelope: `("17-Nov-2026 10:00:00 +0000" {5}\r\nh${n}llo (("Ada" NIL "ada" "example.com")) NIL NIL (("Bob \\"B\\"" NIL "bob" "example.com")) NIL NIL NIL "<${n}@example.com>")`,
    bodyStructure:
      '(("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 5 1)("application" "pdf" ("name" "a.pdf") NIL NIL "base64" 9 NIL ("attachment" ("filename" "a.pdf")) NIL NIL) "mixed")',
  }));
  server.mailboxes.set('INBOX', scriptMailbox({ messages, highestModseq: 9n }));
  server.mailboxes.set('Gesendet', scriptMailbox({ attributes: '\\Sent', highestModseq: 3n }));
  between = createServer((client) => {
    const upstream = dial(server.port, server.host);
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    const still = setTimeout(cut, changes.length === 0 ? WAIT_MS : QUIET_MS);
    let sent = 0;
    let left = [...changes].toSorted((a, b) => a.at - b.at);
    upstream.on('data', (data: Buffer) => {
      still.refresh();
      const [from, to] = [sent, sent + data.length];
      sent = to;
      const here = left.filter(({ at }) => at < to);
      left = left.filter(({ at }) => at >= to);
      client.write(
        here.reduce<Uint8Array>((bytes, one) => changed(bytes, { ...one, at: one.at - from }), data),
      );
    });
    client.on('data', (data) => {
      still.refresh();
      upstream.write(data);
    });
    for (const socket of [client, upstream]) socket.on('error', cut).on('close', cut);
  });
  await new Promise<void>((listening) => between.listen(0, '127.0.0.1', listening));
  const address = between.address();
  port = typeof address === 'object' && address ? address.port : 0;
});

afterAll(async () => {
  await new Promise((closed) => between?.close(closed));
  await server?.close();
});

/** The whole conversation; how many facts came of it. */
async function converse(): Promise<number> {
  let facts = 0;
  const settings = { host: '127.0.0.1', port, secure: false, user: 'ada', allowPlaintext: true };
  const signal = AbortSignal.timeout(WAIT_MS);
  const credential = { password: 'hunter2' };
  const session = await imap.connect({ account: 'a', settings, credential, renew: neverRenewed, signal });
  try {
    const lane = 'backfill' as const;
    for (const [scope, address] of [
      ['mailboxes', null],
      ['k', 'INBOX'],
    ] as const) {
      for await (const page of session.pull({ scope, address, cursor: null, lane, signal })) {
        for (const { kind, data } of page.changes) {
          facts += 1;
          expect(Value.Errors(SCHEMAS[kind], data)).toEqual([]);
        }
      }
    }
  } finally {
    await session.close();
  }
  return facts;
}

it('unchanged, it is understood', async () => {
  changes = [];
  expect(await converse()).toBeGreaterThanOrEqual(8);
});

it(
  'changed anywhere, it is understood or refused',
  async () => {
    const play = fc.asyncProperty(
      fc.array(byteChange(REACH), { minLength: 1, maxLength: 3 }),
      async (some) => {
        changes = some;
        const error = await converse().catch((thrown: unknown) => thrown);
        if (typeof error !== 'number') expect(error).toBeInstanceOf(ProviderError);
      },
    );
    const long = { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: SECONDS * 1_000 };
    await fc.assert(play, SECONDS > 0 ? long : { numRuns: 40 });
  },
  60_000 + SECONDS * 1_000,
);
