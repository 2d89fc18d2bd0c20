import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createApi } from './api.ts';
import { CliError } from './errors.ts';
import { followChanges } from './follow-changes.ts';

let server: Server;
let url: string;
/** What each call is answered, in turn. */
let answers: ((answer: ServerResponse) => void)[];
let asked: IncomingMessage[];

beforeEach(async () => {
  asked = [];
  answers = [];
  server = createServer((request, answer) => {
    asked.push(request);
    answers.shift()?.(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const change = (subject: string) => ({
  specversion: '1.0',
  type: 'mailstream.message.created.v1',
  data: { state: { subject } },
});
const lines = (...list: object[]) => list.map((line) => `${JSON.stringify(line)}\n`).join('');
const refusal = (status: number, code: string) => (answer: ServerResponse) =>
  void answer.writeHead(status).end(JSON.stringify({ error: { code, message: 'no' } }));

/** Follows until so many changes were told. */
async function follow(count: number) {
  const stop = new AbortController();
  const told: string[] = [];
  const lost: string[] = [];
  const api = createApi({ url, token: 'a token' });
  const query = { from: 'now', accounts: 'a' };
  for await (const { id } of followChanges(api, query, stop.signal, (why) => lost.push(why))) {
    told.push(id);
    if (told.length === count) stop.abort();
  }
  return { told, lost };
}

it('goes on from the last id after the connection was lost, refused, and closed with a word', async () => {
  const later = { closing: { code: 'changes.stopping', message: 'connect again' } };
  answers = [
    (answer) => {
      answer
        .writeHead(200)
        .write(lines({ id: '1' }, { id: '2', event: change('a') }), () => answer.destroy());
    },
    refusal(503, 'gateway.upstream_unreachable'),
    (answer) => void answer.writeHead(200).end(lines({ id: '2' }, { id: '3' }, later)),
    (answer) => void answer.writeHead(200).write(lines({ id: '3' }, { id: '4', event: change('b') })),
  ];
  const { told, lost } = await follow(2);
  expect(told).toEqual(['2', '4']);
  expect(lost).toHaveLength(3);
  const from = asked.map((request) => new URL(request.url ?? '', url).searchParams.get('from'));
  expect(from).toEqual(['now', '2', '2', '3']);
  expect(asked[0]?.headers).toMatchObject({ authorization: 'Bearer a token' });
});

it.each([
  ['the API is not there', refusal(503, 'gateway.upstream_unreachable')],
  ['the token is refused', refusal(401, 'auth.refused')],
  [
    'what comes next is lost',
    (answer: ServerResponse) =>
      void answer.end(lines({ id: '1' }, { closing: { code: 'changes.lost', message: 'take a snapshot' } })),
  ],
])('says so when %s', async (_what, answer) => {
  answers = [answer];
  await expect(follow(1)).rejects.toThrow(CliError);
  expect(asked).toHaveLength(1);
});
