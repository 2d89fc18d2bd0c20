/** Puts the Microsoft side together: accounts, Graph and Entra. */
import type { ThrottleBehaviour } from './behaviour.ts';
import type { MicrosoftControl, NewMailbox } from './control/control.ts';
import { createEntra } from './entra/app.ts';
import type { Client } from './entra/authorize.ts';
import { createTokens } from './entra/tokens.ts';
import { type Account, type Accounts, uuidOf } from './graph/accounts.ts';
import { createOutlookActions, outlookMail } from './graph/actions.ts';
import { createGraphApp } from './graph/app.ts';
import { createDeliveries } from './graph/deliveries.ts';
import { createGenerations } from './graph/generations.ts';
import { createIds } from './graph/ids.ts';
import { createNotifications, type LifecycleEvent } from './graph/notifications.ts';
import { createSubscriptions } from './graph/subscriptions.ts';
import { createGate } from './graph/throttle.ts';
import type { HttpReply, HttpRequest } from './http/message.ts';
import { createOutbound } from './http/outbound.ts';
import { createDirectory } from './mailbox/directory.ts';
import { outlookFolders } from './mailbox/folders.ts';
import { createMailbox, seedOf } from './mailbox/mailbox.ts';
import { createSigner } from './oauth/signer.ts';
import { overHttp } from './oauth/wire.ts';
import type { Shared } from './shared.ts';

export interface MicrosoftOptions {
  readonly clients: readonly Client[];
  readonly autoConsent: boolean;
  readonly accessTokenMs: readonly [min: number, max: number];
  /** `https://host:port`. */
  readonly graphOrigin: () => string;
  readonly entraOrigin: () => string;
}

export interface Microsoft {
  readonly accounts: Accounts;
  readonly graph: (request: HttpRequest) => Promise<HttpReply>;
  readonly entra: (request: HttpRequest) => Promise<HttpReply>;
  create(wanted: NewMailbox): Account;
  issueToken(account: Account, app: string, lifetimeMs: number): string;
  revoke(account: Account): void;
  throttle(account: Account, limits: Partial<ThrottleBehaviour>): void;
  signInAs(account: Account): void;
  readonly control: MicrosoftControl;
  close(): void;
}

const CONSUMER_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';

export function createMicrosoft(shared: Shared, options: MicrosoftOptions): Microsoft {
  const { seed, clock, random, tls, behaviour } = shared;
  const outbound = createOutbound(clock);
  let signInAs: string | null = null;
  const accounts: Accounts = createDirectory();
  const throttles = new Map<string, Partial<ThrottleBehaviour>>();
  const signer = createSigner(tls.key);
  const tokens = createTokens(clock, random, signer);
  const subscriptions = createSubscriptions(clock, seed);
  const deliveries = createDeliveries(clock, outbound, () => behaviour().notifications);
  const notifications = createNotifications(
    subscriptions,
    deliveries,
    random,
    () => behaviour().notifications,
  );
  const entra = createEntra({
    accounts,
    clients: options.clients,
    clock,
    random,
    tokens,
    signer,
    accessTokenMs: options.accessTokenMs,
    autoConsent: options.autoConsent,
    signInAs: () => signInAs,
    origin: options.entraOrigin,
  });
  const graph = createGraphApp({
    ...shared,
    outbound,
    accounts,
    subscriptions,
    base: () => `${options.graphOrigin()}/v1.0`,
    checkToken: tokens.check,
  });
  const lifecycle = (account: Account, event: LifecycleEvent) => {
    for (const subscription of subscriptions.ofAccount(account)) {
      notifications.lifecycle(subscription, event);
      if (event === 'subscriptionRemoved') subscriptions.remove(subscription.id);
    }
  };

  return {
    accounts,
    graph,
    entra: overHttp('entra', entra.handle, shared),
    create: (wanted) => {
      const address = wanted.address.toLowerCase();
      const own = seedOf(seed, address);
      const kind = wanted.kind ?? 'work';
      const mailbox = createMailbox({
        seed: own,
        owner: { name: wanted.name ?? address, address },
        clock,
        folders: outlookFolders(wanted.locale ?? 'en', wanted.without ?? [], wanted.userFolders ?? true),
        lag: () => random.between(behaviour().lagMs),
      });
      const ids = createIds(mailbox);
      const account: Account = {
        id: uuidOf(own),
        address,
        tenant: kind === 'consumer' ? CONSUMER_TENANT : uuidOf(seed, 1),
        kind,
        mailbox,
        ids,
        actions: createOutlookActions(mailbox, ids, random, clock),
        generations: createGenerations(own),
        gate: createGate(() => ({ ...behaviour().throttle, ...throttles.get(address) }), clock, random),
        purged: new Set(),
        refusal: 'none',
      };
      mailbox.seedMessages(wanted.messages ?? 0, outlookMail(mailbox));
      accounts.add(account);
      notifications.follow(account);
      return account;
    },
    issueToken: (account, app, lifetimeMs) => tokens.issueAccess({ account, app }, lifetimeMs),
    revoke: (account) => {
      tokens.revoke(account);
      lifecycle(account, 'subscriptionRemoved');
    },
    throttle: (account, limits) => {
      throttles.set(account.address, limits);
    },
    signInAs: (account) => {
      signInAs = account.address;
    },
    close: outbound.close,
    control: {
      failSignIn: entra.fail,
      lifecycle: ({ mailbox, event }) => {
        const account = accounts.find(mailbox);
        if (!account) throw new Error(`There is no Microsoft mailbox ${mailbox}.`);
        lifecycle(account, event);
      },
      deliveries: () => ({ ...deliveries.stats(), underWay: notifications.pending() + outbound.inFlight() }),
      endpointState: ({ url }) => deliveries.stateOf(url),
    },
  };
}
