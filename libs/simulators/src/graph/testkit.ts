/** An application's webhook, for tests: keeps what it is told and answers as told. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Answer, isObject, type Json, type JsonObject, type World } from '../testkit.ts';

export interface Receiver extends AsyncDisposable {
  /** `http://…/notify`; its twin for lifecycle events is at `/lifecycle`. */
  readonly url: string;
  readonly lifecycleUrl: string;
  /** POSTs in the order they came, without handshakes. */
  posts(): readonly { readonly path: string; readonly items: readonly JsonObject[] }[];
  /** All items posted to `/notify`. */
  items(): readonly JsonObject[];
  lifecycles(): readonly JsonObject[];
  /** URLs of handshakes, as they were requested. */
  handshakes(): readonly string[];
  /** The status of answers from now on; `hold`: none until `release`. */
  respond(how: number | 'hold'): void;
  release(): void;
  held(): number;
  /** Creates a subscription on the whole mailbox, for three days. */
  subscribe(world: World, change?: Readonly<Record<string, unknown>>, token?: string): Promise<Answer>;
}

export async function startReceiver(): Promise<Receiver> {
  const posts: { path: string; items: JsonObject[] }[] = [];
  const handshakes: string[] = [];
  let how: number | 'hold' = 202;
  let held: ServerResponse[] = [];

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url ?? '/', 'http://receiver');
    const token = url.searchParams.get('validationToken');
    if (token !== null) {
      handshakes.push(request.url ?? '');
      if (how === 'hold') held.push(response);
      else response.writeHead(how === 202 ? 200 : how, { 'content-type': 'text/plain' }).end(token);
      return;
    }
    const { value }: { value: Json } = JSON.parse(Buffer.concat(chunks).toString());
    posts.push({ path: url.pathname, items: Array.isArray(value) ? value.filter(isObject) : [] });
    if (how === 'hold') held.push(response);
    else response.writeHead(how).end();
  };
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const at = (path: string) => posts.filter((post) => post.path === path).flatMap((post) => post.items);

  return {
    url: `${origin}/notify`,
    lifecycleUrl: `${origin}/lifecycle`,
    posts: () => posts,
    items: () => at('/notify'),
    lifecycles: () => at('/lifecycle'),
    handshakes: () => handshakes,
    respond: (next) => {
      how = next;
    },
    release: () => {
      for (const response of held) response.writeHead(202).end();
      held = [];
    },
    held: () => held.length,
    subscribe: (world, change = {}, token) =>
      world.graph('/subscriptions', {
        ...(token === undefined ? {} : { token }),
        body: {
          changeType: 'created,updated,deleted',
          notificationUrl: `${origin}/notify`,
          lifecycleNotificationUrl: `${origin}/lifecycle`,
          resource: '/me/messages',
          expirationDateTime: new Date(world.simulator.control.now() + 3 * 24 * 60 * 60_000).toISOString(),
          clientState: 'secret',
          ...change,
        },
      }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
