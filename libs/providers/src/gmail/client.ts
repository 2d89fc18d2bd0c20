/** The Gmail API over fetch: seven GETs. Token, gate and ledger; nothing sleeps or retries in here. */
import type { Gates } from '../gate.ts';
import { parseJson } from '../json.ts';
import { ProviderError } from '../provider.ts';
import { inSpan } from '../spans.ts';
import { transportFailure } from '../transport.ts';
import { isOfProject, refusalOf } from './errors.ts';
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
  /** The same for each path, several at a time, in their order. Once one failed other than by being gone the rest is not asked for any more. */
  getEach(
    method: Method,
    paths: readonly string[],
    parameters: Parameters,
    signal: AbortSignal,
  ): Promise<Got[]>;
}

/** What came of one path. */
export type Got = { readonly body: unknown } | { readonly error: ProviderError };

export function createGmailClient(deps: ClientDeps): GmailClient {
  const { account, gates, ledger, now } = deps;
  const { origin } = new URL(deps.gmailUrl);
  const api = { area: 'gmail', origin, setting: 'GMAIL_BASE_URL' };

  async function send(url: URL, token: string, signal: AbortSignal) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(deps.timeoutMs)]);
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
    try {
      const answer = await inSpan('GET', url.href, account, async () => {
        const response = await fetch(url, { headers, redirect: 'manual', signal: limit });
        // Read to its end here, so that the gate and the time limit hold for all of it.
        return { status: response.status, headers: response.headers, text: await response.text() };
      });
      const retryAfter = answer.headers.get('retry-after');
      return { status: answer.status, retryAfter, body: parseJson(answer.text) };
    } catch (error) {
      throw transportFailure(error, api);
    }
  }

  async function exchange(method: Method, url: URL, signal: AbortSignal): Promise<unknown> {
    ledger.spend(account, method);
    const token = await deps.token(null);
    let answer = await send(url, token, signal);
    if (answer.status === 401) {
      ledger.spend(account, method);
      answer = await send(url, await deps.token(token), signal);
    }
    if (answer.status === 204) return {};
    if (answer.status === 200 && answer.body !== undefined) return answer.body;
    const error = refusalOf(answer, now());
    if (error.failure === 'quota' && answer.status === 403)
      ledger.exhausted(account, isOfProject(answer) ? 'project' : 'account');
    throw error;
  }

  async function get(method: Method, path: string, parameters: Parameters, signal: AbortSignal) {
    const url = new URL(`${deps.gmailUrl}/gmail/v1/users/me${path}`);
    for (const [name, value] of Object.entries(parameters))
      for (const one of [value].flat()) url.searchParams.append(name, one);
    const leave = await gates.enter(account, 1, signal);
    try {
      return await exchange(method, url, signal);
    } finally {
      leave();
    }
  }

  return {
    get,
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
