/** Puts the Google side together: accounts, Gmail, sign-in and Pub/Sub. */
import type { QuotaBehaviour } from './behaviour.ts';
import type { NewMailbox } from './control/control.ts';
import type { GoogleControl } from './control/google.ts';
import type { GmailAccount, GmailAccounts, GoogleClient } from './gmail/accounts.ts';
import { createGmailActions, gmailMail, relabel } from './gmail/actions.ts';
import { createGmailApp } from './gmail/app.ts';
import { createDrafts } from './gmail/drafts.ts';
import { createHistory } from './gmail/history.ts';
import { createGmailIds } from './gmail/ids.ts';
import { createLabels } from './gmail/labels.ts';
import { createMeter, STORM } from './gmail/quota.ts';
import { createThreads } from './gmail/threads.ts';
import { createWatches } from './gmail/watches.ts';
import { createGoogle } from './google/app.ts';
import type { ServiceAccount } from './google/service-account.ts';
import { createGoogleTokens } from './google/tokens.ts';
import type { HttpReply, HttpRequest } from './http/message.ts';
import { createOutbound } from './http/outbound.ts';
import { createDirectory } from './mailbox/directory.ts';
import { GMAIL_FOLDERS } from './mailbox/folders.ts';
import { createMailbox, seedOf } from './mailbox/mailbox.ts';
import { createSigner } from './oauth/signer.ts';
import { createPubSubApp } from './pubsub/app.ts';
import { createBroker } from './pubsub/broker.ts';
import { createBacklog } from './pubsub/pull.ts';
import { createPusher } from './pubsub/push.ts';
import { createRandom } from './random.ts';
import type { Shared } from './shared.ts';

export interface GoogleOptions {
  readonly clients: readonly GoogleClient[];
  readonly autoConsent: boolean;
  readonly accessTokenMs: readonly [min: number, max: number];
  /** `https://host:port`. */
  readonly googleOrigin: () => string;
}

type Handler = (request: HttpRequest) => Promise<HttpReply>;

export interface GoogleSide {
  readonly accounts: GmailAccounts;
  readonly gmail: Handler;
  readonly google: Handler;
  readonly pubsub: Handler;
  serviceAccount(): ServiceAccount;
  create(wanted: NewMailbox): GmailAccount;
  issueToken(
    account: GmailAccount,
    app: string | undefined,
    scopes: readonly string[],
    lifetimeMs: number,
  ): string;
  revoke(account: GmailAccount): void;
  throttle(account: GmailAccount, limits: Partial<QuotaBehaviour>): void;
  signInAs(account: GmailAccount): void;
  readonly control: GoogleControl;
  close(): void;
}

/** Labels of a demonstration mailbox: nested by name, and one that is as long as they get. */
const USER_LABELS = ['Projects', 'Projects/2026/Übergabe', '🎉 Party', 'Customers/'.repeat(22), 'invoices'];

export function createGoogleSide(shared: Shared, options: GoogleOptions): GoogleSide {
  const { seed, clock, random, tls, behaviour } = shared;
  let signInAs: string | null = null;
  let delegated = true;
  const accounts: GmailAccounts = createDirectory();
  const throttles = new Map<string, Partial<QuotaBehaviour>>();
  const withheld = new Map<GmailAccount, readonly string[]>();
  const projects = new Map<string, { minute: number; units: number }>();
  const outbound = createOutbound(clock);
  const signer = createSigner(tls.key);
  const tokens = createGoogleTokens(clock, random);
  const push = () => behaviour().push;
  const backlog = createBacklog(clock, push);
  const broker = createBroker(clock, random, push, (subscription, message) =>
    subscription.push ? pusher.push(subscription, message) : backlog.add(subscription, message),
  );
  const pusher = createPusher(
    clock,
    outbound,
    signer,
    push,
    (subscription) => broker.find(subscription.name) === subscription,
  );
  const watches = createWatches(broker, clock, random, push);
  const serviceAccount = (): ServiceAccount => ({
    client_email: `mail-sync@${options.clients[0]?.project ?? 'simulator'}.iam.gserviceaccount.com`,
    // The one key there is: nothing here is secret.
    private_key: tls.key,
    private_key_id: String(signer.keys[0]?.kid),
    project_id: options.clients[0]?.project ?? 'simulator',
    token_uri: `${options.googleOrigin()}/token`,
  });
  const google = createGoogle({
    ...shared,
    accounts,
    clients: options.clients,
    tokens,
    signer,
    accessTokenMs: options.accessTokenMs,
    autoConsent: options.autoConsent,
    signInAs: () => signInAs,
    withheld: (account) => withheld.get(account) ?? [],
    serviceAccount,
    delegated: () => delegated,
    origin: options.googleOrigin,
  });
  const find = (address: string): GmailAccount => {
    const account = accounts.find(address);
    if (!account) throw new Error(`There is no Gmail mailbox ${address}.`);
    return account;
  };
  const clientOf = (id: string | undefined): GoogleClient => {
    const client = id === undefined ? options.clients[0] : options.clients.find((each) => each.id === id);
    return client ?? { id: id ?? '', secret: '', redirectUris: [], project: `project-of-${id}` };
  };

  const control: GoogleControl = {
    label: ({ mailbox, ids, add = [], remove = [] }) => {
      const account = find(mailbox);
      for (const id of ids) relabel(account, account.actions.message(id), add, remove);
    },
    saveDraft: ({ mailbox, draft, content = {} }) => {
      const { drafts, ids } = find(mailbox);
      const known = draft === undefined ? null : drafts.find(draft);
      if (known === undefined) throw new Error(`There is no draft ${draft} in ${mailbox}.`);
      const saved = known ? drafts.update(known, content) : drafts.create(content);
      return { draft: drafts.ofMessage(saved.uid), id: ids.ofMessage(saved.uid) };
    },
    sendDraft: ({ mailbox, draft }) => {
      const { drafts, ids } = find(mailbox);
      const known = drafts.find(draft);
      if (!known) throw new Error(`There is no draft ${draft} in ${mailbox}.`);
      return ids.ofMessage(drafts.send(known, behaviour().gmail.sentDrafts).uid);
    },
    spending: ({ mailbox, app }) => find(mailbox).meter.spending(clientOf(app).project),
    watches: ({ mailbox }) =>
      [...find(mailbox).watches].map(([project, { topic, expiresAt }]) => ({ project, topic, expiresAt })),
    createTopic: ({ topic, gmailMayPublish = true }) => broker.createTopic(topic, gmailMayPublish),
    subscribe: ({
      subscription,
      topic,
      pushEndpoint,
      audience,
      serviceAccountEmail,
      ackDeadlineSeconds = 10,
    }) => {
      const oidc =
        serviceAccountEmail === undefined || pushEndpoint === undefined
          ? null
          : { serviceAccountEmail, audience: audience ?? pushEndpoint };
      const to = pushEndpoint === undefined ? null : { pushEndpoint, oidc };
      broker.subscribe({ name: subscription, topic, push: to, ackDeadlineSeconds });
    },
    publish: ({ topic, data }) => broker.publish(topic, Buffer.from(data)),
    pushes: () => ({
      ...pusher.stats(),
      underWay: watches.pending() + broker.underWay() + outbound.inFlight(),
    }),
    unacknowledged: ({ subscription }) => backlog.size(subscription),
    failGoogleSignIn: google.fail,
    withholdScopes: ({ mailbox, scopes }) => {
      withheld.set(find(mailbox), scopes);
    },
    delegate: ({ allowed }) => {
      delegated = allowed;
    },
  };

  return {
    accounts,
    gmail: createGmailApp({ ...shared, watches, broker, checkToken: tokens.check }),
    google: google.handle,
    pubsub: createPubSubApp({ ...shared, broker, backlog, checkToken: tokens.check }),
    serviceAccount,
    create: (wanted) => {
      const address = wanted.address.toLowerCase();
      const own = seedOf(seed, address);
      const chance = createRandom(own);
      const mailbox = createMailbox({
        seed: own,
        owner: { name: wanted.name ?? address, address },
        clock,
        folders: [
          ...GMAIL_FOLDERS,
          ...((wanted.userFolders ?? true) ? USER_LABELS : []).map((name) => ({
            name: name.slice(0, 220),
            role: null,
            hidden: false,
            children: [],
          })),
        ],
        lag: () => random.between(behaviour().lagMs),
      });
      const labels = createLabels(mailbox);
      mailbox.seedMessages(wanted.messages ?? 0, gmailMail(mailbox, labels));
      const huge = chance.chance(behaviour().gmail.hugeHistoryIds) ? 2n ** 53n : 0n;
      const history = createHistory({
        mailbox,
        labels,
        clock,
        random,
        behaviour: () => behaviour().gmail,
        start:
          wanted.historyStart === undefined
            ? huge + BigInt(1_000 + chance.int(10_000_000))
            : BigInt(wanted.historyStart),
      });
      const ids = createGmailIds(mailbox);
      const drafts = createDrafts(mailbox);
      const account: GmailAccount = {
        id: `1${Array.from({ length: 20 }, () => chance.int(10)).join('')}`,
        address,
        mailbox,
        ids,
        labels,
        history,
        drafts,
        threads: createThreads(mailbox),
        actions: createGmailActions({ mailbox, ids, labels, history, drafts }, random),
        meter: createMeter(
          () => ({ ...behaviour().quota, ...throttles.get(address) }),
          projects,
          clock,
          random,
          () => shared.log.broken(`more than ${STORM} requests in one minute without quota: ${address}`),
        ),
        watches: new Map(),
        watching: 0,
        refusal: 'none',
      };
      accounts.add(account);
      watches.follow(account);
      return account;
    },
    issueToken: (account, app, scopes, lifetimeMs) =>
      tokens.issueAccess({ account, client: clientOf(app), scopes }, lifetimeMs),
    revoke: (account) => {
      tokens.revoke(account);
      account.watches.clear();
    },
    throttle: (account, limits) => {
      throttles.set(account.address, limits);
    },
    signInAs: (account) => {
      signInAs = account.address;
    },
    control,
    close: outbound.close,
  };
}
