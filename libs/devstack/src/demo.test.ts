/** What `npm start` waits for, with an API whose view learns of an account a moment after the account is there. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createApi } from './cli/api.ts';
import { accountOf } from './cli/testkit.ts';
import { keepMailArriving, waitForImport } from './demo.ts';

const ID = '0190a000-0000-7000-8000-000000000001';
const ACCOUNT = accountOf(ID, 'demo');
const NOTHING = { items: [], next: null };

async function createView(refusals: readonly string[]) {
  const left = [...refusals];
  const server = createServer(({ url }, response) => {
    const code = url?.startsWith('/v1/accounts/') ? undefined : left.shift();
    const answer = url?.startsWith('/v1/accounts/') ? ACCOUNT : NOTHING;
    response.writeHead(code === undefined ? 200 : 404);
    response.end(JSON.stringify(code === undefined ? answer : { error: { code, message: 'not there' } }));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { api: createApi({ url: `http://127.0.0.1:${port}`, token: 'a' }), left };
}

test('a view that does not know the account yet is asked again', async () => {
  const { api, left } = await createView(['api.no_account', 'api.no_account']);
  const imported = await waitForImport(api, ID, 10_000, new AbortController().signal);
  expect(imported).toEqual({ count: 0, newest: [] });
  expect(left).toEqual([]);
});

test('whatever else it refuses is said', async () => {
  const { api } = await createView(['auth.scope']);
  const waiting = waitForImport(api, ID, 10_000, new AbortController().signal);
  await expect(waiting).rejects.toMatchObject({ code: 'auth.scope', message: 'not there (auth.scope)' });
});

test('a message that cannot be put into a mailbox does not end the mail there', async () => {
  const stop = new AbortController();
  const failures: unknown[] = [];
  const failure = new Error('the machine is too busy');
  let tries = 0;
  const arrive = async () => {
    tries += 1;
    if (tries === 1) throw failure;
    stop.abort();
  };
  await keepMailArriving({ arrive }, stop.signal, (error) => failures.push(error), 1);
  expect({ tries, failures }).toEqual({ tries: 2, failures: [failure] });
});
