/** Microsoft Graph by its own client library, with our chain behind it: token, gate, one fetch. Nothing sleeps or retries in here. */
import { uuidv7 } from '@mailstream/contracts';
import { readText } from '@mailstream/runtime';
import {
  Client,
  type Context,
  GraphClientError,
  type Middleware,
  type MiddlewareOptions,
  ResponseType,
} from '@microsoft/microsoft-graph-client';
import type { Gates } from '../gate.ts';
import { field, listOf, textOf } from '../json.ts';
import { ProviderError } from '../provider.ts';
import { withoutSecrets } from '../secrets.ts';
import { inSpan } from '../spans.ts';
import { transportFailure } from '../transport.ts';
import { type Answer, bodyOf, refusalOf } from './errors.ts';
import { REQUESTS_AT_A_TIME } from './limits.ts';

export interface ClientDeps {
  /** Names the account; what shares the gate. */
  readonly account: string;
  /** The API with its version; links are followed on its origin only. */
  readonly graphUrl: string;
  /** Before the paths of a mailbox: `/me` or `/users/{address}`. */
  readonly owner: string;
  readonly gates: Gates;
  /** The access token to ask with; a new one when `refused` was not accepted. */
  token(refused: string | null): Promise<string>;
  /** Milliseconds until an answer must be complete. */
  readonly timeoutMs: number;
  readonly now: () => number;
}

export interface GraphClient {
  /**
   * The answer to GET, parsed. `where` is a path below the mailbox, or a whole link as Graph gave it. `pageSize` is a wish, to be
   * repeated for every page. Throws `ProviderError`.
   */
  get(where: string, signal: AbortSignal, pageSize?: number): Promise<unknown>;
  /** Several paths, a few per request, in their order. Once a request failed or was too many the rest is not asked for any more. */
  getEach(paths: readonly string[], signal: AbortSignal): Promise<Got[]>;
  /** The answer whatever it is, for what is no mailbox: `where` is a path below the API, or a whole link. Throws `ProviderError` when none came. */
  ask(method: Method, where: string, signal: AbortSignal, content?: object): Promise<Answer>;
}

/** Where several requests are sent as one, below the API. */
const BATCH = '/$batch';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** What came of one path. */
export type Got = { readonly body: unknown } | { readonly error: ProviderError };

/** What the chain has to know of a call. The library takes links apart and joins them again: what is sent is `url`, untouched. */
class Call implements MiddlewareOptions {
  readonly url: string;
  readonly weight: number;
  readonly signal: AbortSignal;
  constructor(url: string, weight: number, signal: AbortSignal) {
    this.url = url;
    this.weight = weight;
    this.signal = signal;
  }
}

export function createGraphClient(deps: ClientDeps): GraphClient {
  const { graphUrl, owner, now } = deps;
  const { origin } = new URL(graphUrl);
  const api = { area: 'graph', origin, setting: 'MS_GRAPH_URL' };
  const client = Client.initWithMiddleware({ middleware: createChain(deps) });

  async function exchange(call: Call, method: Method, prefer: string, content?: object): Promise<Answer> {
    const request = client
      .api(call.url)
      .headers({ Prefer: prefer, 'client-request-id': uuidv7() })
      .middlewareOptions([call])
      .responseType(ResponseType.RAW);
    const verbs = {
      GET: () => request.get(),
      POST: () => request.post(content),
      PATCH: () => request.patch(content),
      DELETE: () => request.delete(),
    };
    try {
      const response: Response = await verbs[method]();
      const body = bodyOf(response.headers.get('content-type'), await response.text());
      return { status: response.status, header: (name) => response.headers.get(name), body };
    } catch (error) {
      throw transportFailure(error instanceof GraphClientError ? error.customError : error, api);
    }
  }

  async function send(call: Call, method: Method, prefer: string, content?: object): Promise<unknown> {
    const answer = await exchange(call, method, prefer, content);
    if (answer.status >= 200 && answer.status < 300 && answer.body !== undefined) return answer.body;
    throw refusalOf(answer, now());
  }

  function urlOf(where: string, base = `${graphUrl}${owner}`): string {
    if (/^[/?]/.test(where)) return `${base}${where}`;
    if (URL.canParse(where) && new URL(where).origin === origin) return where;
    throw new ProviderError(
      'parse',
      'graph.foreign_link',
      `Microsoft Graph at ${origin} gave a link to another place, which is not followed; check MS_GRAPH_URL.`,
    );
  }

  async function batch(paths: readonly string[], signal: AbortSignal): Promise<Got[]> {
    const requests = paths.map((path, at) => ({
      id: String(at),
      method: 'GET',
      url: `${owner}${path}`,
      headers: { Prefer: preference() },
    }));
    const call = new Call(`${graphUrl}${BATCH}`, paths.length, signal);
    const responses = listOf(await send(call, 'POST', preference(), { requests }), 'responses');
    const answers = new Map(responses.map((response) => [textOf(response, 'id'), response]));
    return paths.map((_, at) => gotOf(answers.get(String(at)), now()));
  }

  return {
    ask: async (method, where, signal, content) =>
      exchange(new Call(urlOf(where, graphUrl), 1, signal), method, preference(), content),
    get: async (where, signal, pageSize) =>
      send(new Call(urlOf(where), 1, signal), 'GET', preference(pageSize)),
    async getEach(paths, signal) {
      const all: Got[] = [];
      for (let at = 0; at < paths.length; at += REQUESTS_AT_A_TIME) {
        const some = paths.slice(at, at + REQUESTS_AT_A_TIME);
        const got = await batch(some, signal).catch(failed);
        if ('error' in got) return [...all, ...paths.slice(at).map(() => got)];
        all.push(...got);
        const throttled = got.find((one) => 'error' in one && one.error.failure === 'quota');
        if (throttled) return [...all, ...paths.slice(all.length).map(() => throttled)];
      }
      return all;
    },
  };
}

function preference(pageSize?: number): string {
  const ids = 'IdType="ImmutableId"';
  return pageSize === undefined ? ids : `${ids}, odata.maxpagesize=${pageSize}`;
}

function failed(error: unknown): { readonly error: ProviderError } {
  if (error instanceof ProviderError) return { error };
  throw error;
}

function gotOf(response: unknown, now: number): Got {
  const status = Number(field(response, 'status'));
  const body = field(response, 'body');
  if (status >= 200 && status < 300) return { body };
  const headers = field(response, 'headers');
  const header = (name: string) =>
    Object.entries(typeof headers === 'object' && headers ? headers : {})
      .filter(([key]) => key.toLowerCase() === name)
      .map(([, value]) => String(value))[0] ?? null;
  // An item without a status is one that the batch was not answered for.
  const error = refusalOf({ status: status || 503, header, body }, now);
  if (error.failure !== 'auth') return { error };
  // The batch itself was let in: what one item is denied says nothing of the account.
  return { error: new ProviderError('permanent', error.code, error.message) };
}

/** The library hands errors on untouched only when they are its own. */
function passOn(error: unknown): never {
  const carrier = new GraphClientError();
  carrier.customError = error;
  throw carrier;
}

function createChain({ account, gates, token, timeoutMs }: ClientDeps): Middleware[] {
  const authenticate = middleware(async (context, next) => {
    const asWith = async (accessToken: string) => {
      const headers = new Headers(context.options?.headers);
      headers.set('Authorization', `Bearer ${accessToken}`);
      context.options = { ...context.options, headers };
      await next();
      return accessToken;
    };
    const used = await asWith(await token(null));
    if (context.response?.status === 401) await asWith(await token(used));
  });

  const gate = middleware(async (context, next) => {
    const { weight, signal } = callOf(context);
    const leave = await gates.enter(account, weight, signal);
    try {
      await next();
    } finally {
      leave();
    }
  });

  const send = middleware(async (context) => {
    const { url, signal } = callOf(context);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const options = { ...context.options, redirect: 'manual', signal: limit } as const;
    context.response = await inSpan(options.method ?? 'GET', url, account, async () => {
      const response = await fetch(url, options);
      // Read to its end here, so that the gate and the time limit hold for all of it.
      const { status, headers } = response;
      const text = await readText(response);
      const token = new Headers(options.headers).get('authorization')?.split(' ')[1] ?? '';
      // Mail is left as it is; but in a batch that was accepted an item may be refused.
      const mayRefuse = !response.ok || url.endsWith(BATCH);
      return new Response((mayRefuse ? withoutSecrets(text, [token]) : text) || null, { status, headers });
    });
  });

  return [middleware((_, next) => next().catch(passOn)), authenticate, gate, send];
}

function middleware(run: (context: Context, next: () => Promise<void>) => Promise<void>): Middleware {
  let following: Middleware | undefined;
  return {
    execute: (context) => run(context, async () => following?.execute(context)),
    setNext: (next) => {
      following = next;
    },
  };
}

function callOf(context: Context): Call {
  const call = context.middlewareControl?.getMiddlewareOptions(Call);
  if (!(call instanceof Call)) throw new Error('a call of Graph without its options');
  return call;
}
