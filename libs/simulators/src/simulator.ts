/** Puts a simulator together: the providers, their servers, and the control over them. */
import { adjust, type Behaviour, chaos, plain } from './behaviour.ts';
import { createClock, runInRealTime } from './clock.ts';
import type { Control } from './control/control.ts';
import { handleControl, isControlRequest } from './control/http.ts';
import { createMailControl, type MailAccount } from './control/mail.ts';
import type { Client } from './entra/authorize.ts';
import type { GoogleClient } from './gmail/accounts.ts';
import { judgeGmail } from './gmail/contract.ts';
import type { ServiceAccount } from './google/service-account.ts';
import { createGoogleSide } from './google.ts';
import { judgeGraph } from './graph/contract.ts';
import { createDevCa, type DevCa } from './http/dev-ca.ts';
import { createFaults } from './http/faults.ts';
import type { HttpReply, HttpRequest } from './http/message.ts';
import { createRequestLog } from './http/request-log.ts';
import { type Listening, listen } from './http/server.ts';
import { createMicrosoft } from './microsoft.ts';
import { createRandom } from './random.ts';
import type { Shared } from './shared.ts';

export interface SimulatorOptions {
  /** The same seed and the same requests: the same simulator. 1 when absent. */
  readonly seed?: number;
  /** `plain` when absent; or numbers of your own. */
  readonly profile?: 'plain' | 'chaos' | Behaviour;
  /** What the clock shows at first, milliseconds since 1970. A client that checks dates against its own clock wants the present time. */
  readonly startAt?: number;
  /** Whether time passes by itself; else only by `control.advance`. */
  readonly realTime?: boolean;
  /** `127.0.0.1` when absent. */
  readonly host?: string;
  /** One authority for several simulators, so that clients trust it once; one of its own when absent. */
  readonly devCa?: DevCa;
  /** Any free ports when absent. */
  readonly ports?: Partial<Record<Server, number>>;
  readonly clients?: readonly Client[];
  readonly googleClients?: readonly GoogleClient[];
  /** Whether consent pages agree by themselves; true when absent. */
  readonly autoConsent?: boolean;
  /** As with the real ones when absent: 60 to 90 minutes, with Google an hour less a second. */
  readonly accessTokenMs?: readonly [min: number, max: number];
}

type Server = 'graph' | 'entra' | 'gmail' | 'google' | 'pubsub';

/** `ca` is the certificate to trust, PEM. */
interface Endpoint {
  readonly url: string;
  readonly ca: string;
}

export interface Simulator {
  /** `url` ends in `/v1.0`. */
  readonly graph: Endpoint;
  /** Put `/{tenant}/oauth2/v2.0/…` behind `url`. */
  readonly entra: Endpoint;
  /** Put `/gmail/v1/users/…` behind `url`, as the client library does behind its `rootUrl`. */
  readonly gmail: Endpoint;
  /** Behind `url`: `/o/oauth2/v2/auth`, `/token`, `/revoke`, `/oauth2/v3/certs` (JWKS), `/oauth2/v1/certs` (PEM). */
  readonly google: Endpoint & { readonly serviceAccount: ServiceAccount };
  /** Put `/v1/projects/…` behind `url`. */
  readonly pubsub: Endpoint;
  readonly control: Control;
  close(): Promise<void>;
}

export const DEMO_CLIENT: Client = {
  id: '11111111-2222-4333-8444-555555555555',
  secret: 'simulator-secret',
  redirectUris: [],
};

export const DEMO_GOOGLE_CLIENT: GoogleClient = {
  id: '123456789012-simulator.apps.googleusercontent.com',
  secret: 'GOCSPX-simulator-secret',
  redirectUris: [],
  project: 'demo-project',
};

const START = Date.UTC(2026, 0, 5, 9);
const HOUR = 60 * 60_000;
const EVERYTHING = ['https://mail.google.com/', 'https://www.googleapis.com/auth/pubsub'];

export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { seed = 1, profile = 'plain', host = '127.0.0.1', autoConsent = true, accessTokenMs } = options;
  const clock = createClock(options.startAt ?? START);
  const random = createRandom(seed);
  let behaviour = profile === 'plain' ? plain() : profile === 'chaos' ? chaos() : profile;
  const tls = options.devCa ?? createDevCa([host]);
  const calm = plain();
  const log = createRequestLog({
    graph: judgeGraph(calm.throttle.concurrency),
    gmail: judgeGmail(calm.quota.concurrency),
  });
  const faults = createFaults(random);
  const shared: Shared = { seed, clock, random, tls, faults, log, behaviour: () => behaviour };
  const servers = new Map<Server, Listening>();
  const origin = (server: Server) => servers.get(server)?.origin ?? '';

  const microsoft = createMicrosoft(shared, {
    clients: options.clients ?? [DEMO_CLIENT],
    autoConsent,
    accessTokenMs: accessTokenMs ?? [HOUR, 1.5 * HOUR],
    graphOrigin: () => origin('graph'),
    entraOrigin: () => origin('entra'),
  });
  const google = createGoogleSide(shared, {
    clients: options.googleClients ?? [DEMO_GOOGLE_CLIENT],
    autoConsent,
    accessTokenMs: accessTokenMs ?? [HOUR - 1_000, HOUR - 1_000],
    googleOrigin: () => origin('google'),
  });
  /** Calls the one that fits the provider of a mailbox. */
  const at = <T>(
    address: string,
    ofMicrosoft: (account: ReturnType<typeof microsoft.create>) => T,
    ofGoogle: (account: ReturnType<typeof google.create>) => T,
  ): T => {
    const account = microsoft.accounts.find(address);
    if (account) return ofMicrosoft(account);
    const other = google.accounts.find(address);
    if (other) return ofGoogle(other);
    throw new Error(`There is no mailbox ${address}.`);
  };

  const control: Control = {
    ...createMailControl((address) =>
      at<MailAccount>(
        address,
        (account) => account,
        (account) => account,
      ),
    ),
    ...microsoft.control,
    ...google.control,
    createMailbox: (wanted) => {
      if (microsoft.accounts.find(wanted.address) ?? google.accounts.find(wanted.address))
        throw new Error(`There is a mailbox ${wanted.address} already.`);
      const { id, address } = (wanted.provider === 'google' ? google : microsoft).create(wanted);
      return { id, address };
    },
    issueToken: ({ mailbox, expiresInMs = HOUR, app, scopes = EVERYTHING }) =>
      at(
        mailbox,
        (account) => microsoft.issueToken(account, app ?? DEMO_CLIENT.id, expiresInMs),
        (account) => google.issueToken(account, app, scopes, expiresInMs),
      ),
    refuse: ({ mailbox, how }) => {
      const set = (account: { refusal: typeof how }) => {
        account.refusal = how;
      };
      at(mailbox, set, set);
    },
    revoke: ({ mailbox }) => at(mailbox, microsoft.revoke, google.revoke),
    signInAs: ({ mailbox }) => at(mailbox, microsoft.signInAs, google.signInAs),
    expireCursors: ({ mailbox }) =>
      at(
        mailbox,
        (account) => account.generations.expireAll(),
        (account) => account.history.expire(),
      ),
    behave: (change) => {
      behaviour = adjust(behaviour, change);
    },
    throttle: ({ mailbox, limits }) =>
      at(
        mailbox,
        (account) => microsoft.throttle(account, limits),
        (account) => google.throttle(account, limits),
      ),
    fault: faults.plan,
    release: faults.release,
    held: faults.holding,
    clearFaults: faults.clear,
    advance: ({ ms }) => clock.advance(ms),
    now: clock.now,
    requests: log.entries,
    assertContract: () => {
      const violations = log.violations();
      if (violations.length > 0)
        throw new Error(
          `The contract was broken ${violations.length} times:\n${violations.slice(0, 20).join('\n')}`,
        );
    },
    clearRequests: log.clear,
  };

  const serve = async (server: Server, handle: (request: HttpRequest) => Promise<HttpReply>) => {
    const port = options.ports?.[server] ?? 0;
    servers.set(server, await listen({ tls, host, port }, handle));
  };
  const withControl =
    (handle: (request: HttpRequest) => Promise<HttpReply>) => async (request: HttpRequest) =>
      isControlRequest(request) ? handleControl(request, control) : handle(request);
  await serve('graph', withControl(microsoft.graph));
  await serve('entra', microsoft.entra);
  await serve('gmail', withControl(google.gmail));
  await serve('google', google.google);
  await serve('pubsub', google.pubsub);
  const stopTime = options.realTime ? runInRealTime(clock) : () => {};

  return {
    graph: { url: `${origin('graph')}/v1.0`, ca: tls.ca },
    entra: { url: origin('entra'), ca: tls.ca },
    gmail: { url: origin('gmail'), ca: tls.ca },
    google: { url: origin('google'), ca: tls.ca, serviceAccount: google.serviceAccount() },
    pubsub: { url: origin('pubsub'), ca: tls.ca },
    control,
    close: async () => {
      stopTime();
      faults.clear();
      microsoft.close();
      google.close();
      await Promise.all([...servers.values()].map((server) => server.close()));
    },
  };
}
