/** Puts a simulator together: mailboxes, Graph, Entra, and the control over them. */
import { adjust, type Behaviour, chaos, plain, type ThrottleBehaviour } from './behaviour.ts';
import { createClock, runInRealTime } from './clock.ts';
import type { Control, NewMailbox } from './control/control.ts';
import { handleControl, isControlRequest } from './control/http.ts';
import { createMailControl } from './control/mail.ts';
import { createEntra } from './entra/app.ts';
import type { Client } from './entra/authorize.ts';
import { createSigner } from './entra/signer.ts';
import { createTokens } from './entra/tokens.ts';
import { overHttp } from './entra/wire.ts';
import { type Account, createAccounts, uuidOf } from './graph/accounts.ts';
import { createGraphApp } from './graph/app.ts';
import { createDeliveries } from './graph/deliveries.ts';
import { createGenerations } from './graph/generations.ts';
import { createIds } from './graph/ids.ts';
import { createNotifications } from './graph/notifications.ts';
import { createSubscriptions } from './graph/subscriptions.ts';
import { createGate } from './graph/throttle.ts';
import { createDevCa, type DevCa } from './http/dev-ca.ts';
import { createFaults } from './http/faults.ts';
import { createOutbound } from './http/outbound.ts';
import { createRequestLog } from './http/request-log.ts';
import { listen } from './http/server.ts';
import { createMailbox, seedOf } from './mailbox/mailbox.ts';
import { createRandom } from './random.ts';

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
  readonly ports?: { readonly graph: number; readonly entra: number };
  readonly clients?: readonly Client[];
  /** Whether Entra's consent page agrees by itself; true when absent. */
  readonly autoConsent?: boolean;
  /** 60 to 90 minutes when absent, as with the real one. */
  readonly accessTokenMs?: readonly [min: number, max: number];
}

export interface Simulator {
  /** `url` ends in `/v1.0`; `ca` is the certificate to trust, PEM. */
  readonly graph: { readonly url: string; readonly ca: string };
  /** Put `/{tenant}/oauth2/v2.0/…` behind `url`. */
  readonly entra: { readonly url: string; readonly ca: string };
  readonly control: Control;
  close(): Promise<void>;
}

export const DEMO_CLIENT: Client = {
  id: '11111111-2222-4333-8444-555555555555',
  secret: 'simulator-secret',
  redirectUris: [],
};

const START = Date.UTC(2026, 0, 5, 9);
const HOUR = 60 * 60_000;
const CONSUMER_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';

export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { seed = 1, profile = 'plain', host = '127.0.0.1', accessTokenMs = [HOUR, 1.5 * HOUR] } = options;
  const clock = createClock(options.startAt ?? START);
  const random = createRandom(seed);
  let behaviour = profile === 'plain' ? plain() : profile === 'chaos' ? chaos() : profile;
  let signInAs: string | null = null;

  const accounts = createAccounts();
  const throttles = new Map<string, Partial<ThrottleBehaviour>>();
  const tls = options.devCa ?? createDevCa([host]);
  const signer = createSigner(tls.key);
  const tokens = createTokens(clock, random, signer);
  const faults = createFaults(random);
  const log = createRequestLog(() => plain().throttle.concurrency);
  const outbound = createOutbound(clock);
  const subscriptions = createSubscriptions(clock, seed);
  const deliveries = createDeliveries(clock, outbound, () => behaviour.notifications);
  const notifications = createNotifications(subscriptions, deliveries, random, () => behaviour.notifications);

  const find = (address: string): Account => {
    const account = accounts.find(address);
    if (!account) throw new Error(`There is no mailbox ${address}.`);
    return account;
  };
  const createAccount = (wanted: NewMailbox) => {
    const address = wanted.address.toLowerCase();
    if (accounts.find(address)) throw new Error(`There is a mailbox ${address} already.`);
    const own = seedOf(seed, address);
    const kind = wanted.kind ?? 'work';
    const mailbox = createMailbox({
      seed: own,
      owner: { name: wanted.name ?? address, address },
      clock,
      lag: () => random.between(behaviour.lagMs),
      ...(wanted.locale ? { locale: wanted.locale } : {}),
      ...(wanted.without ? { without: wanted.without } : {}),
      ...(wanted.userFolders === undefined ? {} : { userFolders: wanted.userFolders }),
    });
    const account: Account = {
      id: uuidOf(own),
      address,
      tenant: kind === 'consumer' ? CONSUMER_TENANT : uuidOf(seed, 1),
      kind,
      mailbox,
      ids: createIds(mailbox),
      generations: createGenerations(own),
      gate: createGate(() => ({ ...behaviour.throttle, ...throttles.get(address) }), clock, random),
      purged: new Set(),
      refusal: 'none',
    };
    mailbox.seedMessages(wanted.messages ?? 0);
    accounts.add(account);
    notifications.follow(account);
    return { id: account.id, address };
  };

  const clients = options.clients ?? [DEMO_CLIENT];
  const entra = createEntra({
    accounts,
    clients,
    clock,
    random,
    tokens,
    signer,
    accessTokenMs,
    autoConsent: options.autoConsent ?? true,
    signInAs: () => signInAs,
    origin: () => entraServer.origin,
  });
  const graph = createGraphApp({
    accounts,
    subscriptions,
    outbound,
    random,
    clock,
    faults,
    log,
    behaviour: () => behaviour,
    base: () => `${graphServer.origin}/v1.0`,
    checkToken: tokens.check,
  });

  const control: Control = {
    ...createMailControl(find, random, clock),
    createMailbox: createAccount,
    issueToken: ({ mailbox, expiresInMs = HOUR, app = DEMO_CLIENT.id }) =>
      tokens.issueAccess({ account: find(mailbox), app }, expiresInMs),
    refuse: ({ mailbox, how }) => {
      find(mailbox).refusal = how;
    },
    revoke: ({ mailbox }) => {
      tokens.revoke(find(mailbox));
      control.lifecycle({ mailbox, event: 'subscriptionRemoved' });
    },
    failSignIn: entra.fail,
    signInAs: ({ mailbox }) => {
      signInAs = find(mailbox).address;
    },
    expireCursors: ({ mailbox }) => find(mailbox).generations.expireAll(),
    behave: (change) => {
      behaviour = adjust(behaviour, change);
    },
    throttle: ({ mailbox, limits }) => {
      throttles.set(find(mailbox).address, limits);
    },
    fault: faults.plan,
    release: faults.release,
    held: faults.holding,
    clearFaults: faults.clear,
    lifecycle: ({ mailbox, event }) => {
      for (const subscription of subscriptions.ofAccount(find(mailbox))) {
        notifications.lifecycle(subscription, event);
        if (event === 'subscriptionRemoved') subscriptions.remove(subscription.id);
      }
    },
    deliveries: () => ({ ...deliveries.stats(), underWay: notifications.pending() + outbound.inFlight() }),
    endpointState: ({ url }) => deliveries.stateOf(url),
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

  const ports = options.ports ?? { graph: 0, entra: 0 };
  const graphServer = await listen({ tls, host, port: ports.graph }, async (request) =>
    isControlRequest(request) ? handleControl(request, control) : graph(request),
  );
  const entraServer = await listen({ tls, host, port: ports.entra }, overHttp({ entra, clock, faults, log }));
  const stopTime = options.realTime ? runInRealTime(clock) : () => {};

  return {
    graph: { url: `${graphServer.origin}/v1.0`, ca: tls.ca },
    entra: { url: entraServer.origin, ca: tls.ca },
    control,
    close: async () => {
      stopTime();
      faults.clear();
      outbound.close();
      await Promise.all([graphServer.close(), entraServer.close()]);
    },
  };
}
