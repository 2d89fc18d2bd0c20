/** Authenticated sessions, kept warm for a while: connecting costs more than a look. */
import { hostname } from 'node:os';
import type { Bus } from '@mailstream/bus';
import {
  type AccountRef,
  CredentialsReply,
  type CredentialsRequest,
  hashToken,
  subjects,
} from '@mailstream/contracts';
import { AccessToken, type Provider, ProviderError, type Session } from '@mailstream/providers';
import { type Logger, messageOf, type Part, pause } from '@mailstream/runtime';
import { Compile } from 'typebox/compile';

/** Longer than the broker waits for a provider that is signed in with. */
const BROKER_TIMEOUT_MS = 15_000;
const SWEEP_MS = 5_000;
/** As the audit trail calls this process. */
const FETCHER = `provider-fetcher ${hostname()}/${process.pid}`;

const reply = Compile(CredentialsReply);
const accessToken = Compile(AccessToken);

export interface SessionRequest extends AccountRef {
  readonly provider: string;
  readonly credentialVersion: number;
}

export interface Sessions {
  /** Runs `work` with a session of the account that nobody else uses meanwhile. Throws `ProviderError` when it cannot connect. */
  use<T>(request: SessionRequest, signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T>;
  /** A session of the caller's own, never shared or reused; the caller closes it. */
  open(request: SessionRequest, signal: AbortSignal): Promise<Session>;
  /** Closes sessions nobody has used for `idleMs`, and all of them when it ends. */
  readonly part: Part;
}

interface Idle {
  readonly session: Session;
  readonly version: number;
  readonly since: number;
}

export function createSessions(deps: {
  readonly bus: Bus;
  readonly providers: readonly Provider[];
  readonly logger: Logger;
  readonly idleMs: number;
}): Sessions {
  const { bus, providers, logger, idleMs } = deps;
  const idle = new Map<string, Idle[]>();

  async function open(request: SessionRequest, signal: AbortSignal): Promise<Session> {
    const provider = providers.find(({ name }) => name === request.provider);
    if (!provider) throw new Error(`there is no provider ${request.provider}`);
    let { settings, credential } = await askBroker(request, {});
    const renew = async () => {
      ({ credential } = await askBroker(request, refusalOf(credential)));
      return credential;
    };
    return provider.connect({ account: request.account, settings, credential, renew, signal });
  }

  async function askBroker(
    at: AccountRef,
    question: CredentialsRequest,
  ): Promise<{ settings: unknown; credential: unknown }> {
    const data = await bus.request(
      subjects.credentials(at),
      { fetcher: FETCHER, ...question },
      BROKER_TIMEOUT_MS,
    );
    const answer: unknown = JSON.parse(new TextDecoder().decode(data));
    if (!reply.Check(answer))
      throw new Error('the token broker sent something that is not a credentials reply');
    if (answer.ok) return answer;
    const { failure, code, message, retryAfterMs } = answer;
    throw new ProviderError(failure, code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
  }

  function take(request: SessionRequest): Session | null {
    const list = idle.get(request.account) ?? [];
    for (let kept = list.pop(); kept; kept = list.pop()) {
      if (kept.version >= request.credentialVersion && kept.session.usable()) return kept.session;
      close(kept.session);
    }
    return null;
  }

  function close(session: Session): void {
    session
      .close()
      .catch((error: unknown) =>
        logger.debug({ err: error }, `a session did not close: ${messageOf(error)}`),
      );
  }

  function closeOlderThan(time: number): void {
    for (const [account, list] of idle) {
      const kept = list.filter((one) => one.since > time);
      for (const one of list) if (one.since <= time) close(one.session);
      if (kept.length > 0) idle.set(account, kept);
      else idle.delete(account);
    }
  }

  return {
    open,
    async use(request, signal, work) {
      const session = take(request) ?? (await open(request, signal));
      try {
        const result = await work(session);
        const list = idle.get(request.account) ?? [];
        idle.set(request.account, [
          ...list,
          { session, version: request.credentialVersion, since: Date.now() },
        ]);
        return result;
      } catch (error) {
        // Whatever went wrong, half a conversation may be left in it.
        close(session);
        throw error;
      }
    },
    part: {
      name: 'sessions',
      async run(signal) {
        while (!signal.aborted) {
          await pause(SWEEP_MS, signal);
          closeOlderThan(Date.now() - idleMs);
        }
        closeOlderThan(Number.POSITIVE_INFINITY);
      },
    },
  };
}

/** Passwords are not renewed: whoever asks again gets what is stored by then. */
function refusalOf(credential: unknown): CredentialsRequest {
  return accessToken.Check(credential) ? { refused: hashToken(credential.accessToken) } : {};
}
