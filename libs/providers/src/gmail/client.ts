/** The Gmail API over fetch: seven GETs and two POSTs. Token, gate and ledger; nothing sleeps or retries in here. */
import { readText } from '@mailstream/runtime';
import type { Gates } from '../gate.ts';
import { parseJson } from '../json.ts';
import { ProviderError } from '../provider.ts';
import { withoutSecrets } from '../secrets.ts';
import { inSpan } from '../spans.ts';
import { transportFailure } from '../transport.ts';
import { type Answer, isOfProject, refusalOf } from './errors.ts';
import type { Ledger } from './ledger.ts';
import { type Method, REQUESTS_AT_A_TIME } from './quota.ts';

export interface ClientDeps {
  /** Names the account: its sessions share gate and ledger. */
  readonly account: string;
  /** The origin of the API. */
  readonly gmailUrl: string;
  readonly gates: Gates;
  readonly ledger: Ledger;
  /** The access token to ask with; a new one when `refused` was not accepted. */
  token(refused: string | null): Promise<string>;
  /** Milliseconds until an answer must be complete. */
  readonly timeoutMs: number;
  readonly now: () => number;
}

export type Parameters = Readonly<Record<string, string | readonly string[]>>;

export interface GmailClient {
  /** The answer of a method, parsed. `path` is below the mailbox. Throws `ProviderError`. */
  get(method: Method, path: string, parameters: Parameters, signal: AbortSignal): Promise<unknown>;
  /** Has something done. `explain` knows refusals that are this method's own. */
  post(method: Method, path: string, request: PostRequest, signal: AbortSignal): Promise<unknown>;
  /** `get` of each path, several at a time, in their order. Once one failed other than by being gone the rest is not asked for any more. */
  getEach(
    method: Method,
    paths: readonly string[],
    parameters: Parameters,
    signal: AbortSignal,
  ): Promise<Got[]>;
}

export interface PostRequest {
  /** Sent as JSON. */
  readonly body: object;
  /** Null: refused as any method may be. */
  readonly explain: (answer: Answer) => ProviderError | null;
}

/** What came of one path. */
export type Got = { readonly body: unknown } | { readonly error: ProviderError };

export function createGmailClient(deps: ClientDeps): GmailClient {
  const { account, gates, ledger, now } = deps;
  const { origin } = new URL(deps.gmailUrl);
  const api = { area: 'gmail', origin, setting: 'GMAIL_BASE_URL' };

  async function send(
    url: URL,
    token: string,
    post: PostRequest | null,
    signal: AbortSignal,
  ): Promise<Answer> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(deps.timeoutMs)]);
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
    const sent = post && {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(post.body),
    };
    try {
      const answer = await inSpan(post ? 'POST' : 'GET', url.href, account, async () => {
        const response = await fetch(url, { headers, ...sent, redirect: 'manual', signal: limit });
        // Read to its end here, so that the gate and the time limit hold for all of it.
        const text = await readText(response);
        return {
          status: response.status,
          headers: response.headers,
          text: response.ok ? text : withoutSecrets(text, [token]),
        };
      });
      const retryAfter = answer.headers.get('retry-after');
      return { status: answer.status, retryAfter, body: parseJson(answer.text) };
    } catch (error) {
      throw transportFailure(error, api);
    }
  }

  async function exchange(
    method: Method,
    url: URL,
    post: PostRequest | null,
    signal: AbortSignal,
  ): Promise<unknown> {
    ledger.spend(account, method);
    const token = await deps.token(null);
    let answer = await send(url, token, post, signal);
    if (answer.status === 401) {
      ledger.spend(account, method);
      answer = await send(url, await deps.token(token), post, signal);
    }
    if (answer.status === 204) return {};
    if (answer.status === 200 && answer.body !== undefined) return answer.body;
    const error = post?.explain(answer) ?? refusalOf(answer, now());
    if (error.failure === 'quota' && answer.status === 403)
      ledger.exhausted(account, isOfProject(answer) ? 'project' : 'account');
    throw error;
  }

  async function enter(method: Method, url: URL, post: PostRequest | null, signal: AbortSignal) {
    const leave = await gates.enter(account, 1, signal);
    try {
      return await exchange(method, url, post, signal);
    } finally {
      leave();
    }
  }

  const urlOf = (path: string) => new URL(`${deps.gmailUrl}/gmail/v1/users/me${path}`);

  async function get(method: Method, path: string, parameters: Parameters, signal: AbortSignal) {
    const url = urlOf(path);
    for (const [name, value] of Object.entries(parameters))
      for (const one of [value].flat()) url.searchParams.append(name, one);
    return enter(method, url, null, signal);
  }

  return {
    get,
    post: (method, path, request, signal) => enter(method, urlOf(path), request, signal),
    async getEach(method, paths, parameters, signal) {
      const all: Got[] = [];
      let next = 0;
      let failed: ProviderError | null = null;
      const work = async (): Promise<void> => {
        for (let at = next++; at < paths.length; at = next++) {
          all[at] = failed
            ? { error: failed }
            : await get(method, paths[at] ?? '', parameters, signal).then(
                (body) => ({ body }),
                (error: unknown) => ({ error: providerError(error) }),
              );
          const got = all[at];
          if (got && 'error' in got && got.error.failure !== 'gone') failed ??= got.error;
        }
      };
      await Promise.all(Array.from({ length: REQUESTS_AT_A_TIME }, work));
      return all;
    },
  };
}

function providerError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  throw error;
}
