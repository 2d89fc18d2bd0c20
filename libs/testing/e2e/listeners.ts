/** Who listens to changes from outside, each in a way of its own, and what each was told: the ids of events, in order. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectMailstream } from '@mailstream/client';
import { ChangeLine, isChangeEvent, WebhookCreated } from '@mailstream/contracts';
import { DEFAULT_TENANT } from '@mailstream/runtime';
import { Value } from 'typebox/value';
import type { Rest } from './rest.ts';

export interface Listener {
  readonly name: string;
  /** Of all changes so far, as they came; grows. */
  readonly told: readonly string[];
  /** What went wrong. */
  readonly problems: readonly string[];
  stop(): Promise<void>;
}

/** A durable subscriber over NATS, of all there is. */
export async function subscriber(natsUrl: string): Promise<Listener> {
  const client = await connectMailstream({ natsUrl, name: 'listener' });
  const end = new AbortController();
  const told: string[] = [];
  const problems: string[] = [];
  const options = { name: 'listener', tenant: DEFAULT_TENANT, from: 'beginning' } as const;
  const running = client
    .subscribe(options, async ({ event }) => void told.push(event.id), end.signal)
    .catch((error: unknown) => void problems.push(String(error)));
  return {
    name: 'subscriber',
    told,
    problems,
    async stop() {
      end.abort();
      await running;
      await client.close();
    },
  };
}

/** A reader of `GET /v1/changes`, from the beginning; when its stream ends it asks `gateway()` for the next one, with the last id it has. */
export function reader(gateway: () => string, token: string): Listener & { readonly streams: () => number } {
  const end = new AbortController();
  const told: string[] = [];
  const problems: string[] = [];
  let last = 'beginning';
  let streams = 0;
  const headers = { authorization: `Bearer ${token}`, accept: 'application/x-ndjson' };

  async function readOne(): Promise<void> {
    const answer = await fetch(`${gateway()}/v1/changes?from=${encodeURIComponent(last)}`, {
      headers,
      signal: end.signal,
    });
    streams += 1;
    if (!answer.ok || !answer.body) throw new Error(`${answer.status} ${await answer.text()}`);
    let rest = '';
    for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      for (const text of lines) {
        const line = Value.Parse(ChangeLine, JSON.parse(text));
        if (isChangeEvent(line.event)) told.push(line.event.id);
        last = line.id ?? last;
      }
    }
  }

  const running = (async () => {
    while (!end.signal.aborted)
      await readOne().catch((error: unknown) => {
        // A stream may end at any time, also in the middle of a line; what it must not is refuse.
        if (!(error instanceof TypeError) && !end.signal.aborted) problems.push(String(error));
      });
  })();
  return {
    name: 'reader',
    told,
    problems,
    streams: () => streams,
    async stop() {
      end.abort();
      await running;
    },
  };
}

/** A webhook endpoint, told of what changes of an account from now on. */
export async function endpoint(rest: Rest, account: string): Promise<Listener> {
  const told: string[] = [];
  const server = createServer((request, answer) => {
    told.push(String(request.headers['webhook-id']));
    request.resume().once('end', () => answer.writeHead(204).end());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const body = { url: `http://127.0.0.1:${port}/`, accounts: [account] };
  await rest.send(WebhookCreated, 'POST', '/v1/webhook-endpoints', body);
  return {
    name: 'endpoint',
    told,
    problems: [],
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
