/** Subscriptions: who wants to be told about which mailbox, until when. */
import type { Clock } from '../clock.ts';
import type { Account, Accounts } from './accounts.ts';
import { uuidOf } from './accounts.ts';
import { badRequest, GraphFault } from './errors.ts';
import { parsePath } from './request.ts';

export interface Subscription {
  readonly id: string;
  readonly app: string;
  readonly account: Account;
  /** As the application wrote it. */
  readonly resource: string;
  /** Null: the whole mailbox. */
  readonly folder: number | null;
  readonly changeType: string;
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string | null;
  readonly clientState: string | null;
  /** Which kind of id its notifications name. */
  readonly immutableIds: boolean;
  readonly includeResourceData: boolean;
  expiresAt: number;
}

export interface Subscriptions {
  /** Throws 409 for a second one of its kind, 403 beyond a thousand in a mailbox. */
  add(wanted: Omit<Subscription, 'id' | 'expiresAt'>, expires: string): Subscription;
  /** Throws 404 when there is none (any more). */
  get(id: string): Subscription;
  /** Throws 400 for a time too far away. */
  renew(subscription: Subscription, expires: string): void;
  remove(id: string): void;
  /** The living ones. */
  ofAccount(account: Account): Subscription[];
  ofApp(app: string): Subscription[];
}

const MINUTE = 60_000;
const SHORTEST = 45 * MINUTE;
const LONGEST_MINUTES = { basic: 10_080, withData: 1_440 };
const PER_MAILBOX = 1_000;

export function createSubscriptions(clock: Clock, seed: number): Subscriptions {
  const subscriptions = new Map<string, Subscription>();
  let count = 0;

  const living = () => {
    for (const [id, { expiresAt }] of subscriptions) if (expiresAt <= clock.now()) subscriptions.delete(id);
    return [...subscriptions.values()];
  };
  const expiry = (expires: string, includeResourceData: boolean) => {
    const wanted = Date.parse(expires);
    const minutes = includeResourceData ? LONGEST_MINUTES.withData : LONGEST_MINUTES.basic;
    if (Number.isNaN(wanted)) throw badRequest("The property 'expirationDateTime' is required.");
    if (wanted > clock.now() + minutes * MINUTE)
      throw badRequest(`Subscription expiration can only be ${minutes} minutes in the future.`);
    return Math.max(wanted, clock.now() + SHORTEST);
  };
  return {
    add: (wanted, expires) => {
      const expiresAt = expiry(expires, wanted.includeResourceData);
      const existing = living().filter(({ account }) => account === wanted.account);
      if (existing.length >= PER_MAILBOX)
        throw new GraphFault(
          403,
          'ErrorTooManySubscriptions',
          'The mailbox has too many active subscriptions.',
        );
      const same = ({ app, resource, changeType }: Subscription) =>
        app === wanted.app && resource === wanted.resource && changeType === wanted.changeType;
      if (existing.some(same))
        throw new GraphFault(
          409,
          'Conflict',
          'A subscription for this resource and change type exists already.',
        );
      const subscription = { ...wanted, id: uuidOf(seed, ++count), expiresAt };
      subscriptions.set(subscription.id, subscription);
      return subscription;
    },
    get: (id) => {
      const found = living().find((subscription) => subscription.id === id);
      if (!found) throw new GraphFault(404, 'ResourceNotFound', 'The object was not found.');
      return found;
    },
    renew: (subscription, expires) => {
      subscription.expiresAt = expiry(expires, subscription.includeResourceData);
    },
    remove: (id) => {
      subscriptions.delete(id);
    },
    ofAccount: (account) => living().filter((subscription) => subscription.account === account),
    ofApp: (app) => living().filter((subscription) => subscription.app === app),
  };
}

/** Whose mailbox and which folder a resource names. `me` is the account that asks; null when an application asks for itself. */
export function resolveResource(resource: string, me: Account | null, accounts: Accounts) {
  const { owner, segments } = parsePath(resource.split('?')[0] ?? '');
  const account = owner === 'me' ? me : owner === null ? null : accounts.find(owner);
  const [kind, name, last] = segments;
  if (account && kind === 'messages' && segments.length === 1) return { account, folder: null };
  if (account && kind === 'mailFolders' && last === 'messages' && segments.length === 3) {
    const folder = account.ids.folder(name ?? '');
    if (folder) return { account, folder: folder.uid };
  }
  throw badRequest(`Resource '${resource}' is not supported for subscriptions.`);
}
