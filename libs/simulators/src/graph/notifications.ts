/** Turns what happens in mailboxes into notifications, as unreliably as told. */
import type { NotificationBehaviour } from '../behaviour.ts';
import type { Change, MessageChange } from '../mailbox/journal.ts';
import type { Random } from '../random.ts';
import type { Account } from './accounts.ts';
import type { Deliveries } from './deliveries.ts';
import { etagOf } from './message-shape.ts';
import type { Subscription, Subscriptions } from './subscriptions.ts';

export type LifecycleEvent = 'missed' | 'subscriptionRemoved' | 'reauthorizationRequired';

export interface Notifications {
  /** Follows a mailbox from now on. */
  follow(account: Account): void;
  lifecycle(subscription: Subscription, event: LifecycleEvent): void;
  /** Changes that have not been looked at yet. */
  pending(): number;
}

const LARGEST_POST = 100;

export function createNotifications(
  subscriptions: Subscriptions,
  deliveries: Deliveries,
  random: Random,
  behaviour: () => NotificationBehaviour,
): Notifications {
  let pending: { readonly account: Account; readonly change: MessageChange }[] = [];

  const lifecycle = (subscription: Subscription, event: LifecycleEvent) => {
    const url = subscription.lifecycleNotificationUrl;
    if (url === null) return;
    const item = {
      subscriptionId: subscription.id,
      subscriptionExpirationDateTime: new Date(subscription.expiresAt).toISOString(),
      tenantId: subscription.account.tenant,
      organizationId: subscription.account.tenant,
      clientState: subscription.clientState,
      lifecycleEvent: event,
    };
    deliveries.send(url, [item], 0);
  };
  /** Items of all subscriptions that share an endpoint travel together. */
  const post = (url: string, items: readonly object[]) => {
    const { drops, duplicates, reorders, delayMs } = behaviour();
    const kept = items.filter(() => !random.chance(drops));
    const doubled = kept.flatMap((item) => (random.chance(duplicates) ? [item, item] : [item]));
    const late = random.chance(reorders);
    const ordered = late ? random.shuffle(doubled) : doubled;
    for (let start = 0; start < ordered.length; start += LARGEST_POST)
      deliveries.send(
        url,
        ordered.slice(start, start + LARGEST_POST),
        random.between(delayMs) + (late ? delayMs[1] : 0),
      );
  };
  const flush = () => {
    const changes = pending;
    pending = [];
    const byUrl = new Map<string, object[]>();
    for (const account of new Set(changes.map((entry) => entry.account))) {
      const own = changes.filter((entry) => entry.account === account).map((entry) => entry.change);
      const bulk = own.filter((change) => change.kind === 'moved').length > behaviour().bulkMoves;
      for (const subscription of subscriptions.ofAccount(account)) {
        if (bulk) {
          lifecycle(subscription, 'missed');
          continue;
        }
        const items = own.flatMap((change) => itemsOf(change, subscription));
        const url = subscription.notificationUrl;
        byUrl.set(url, [...(byUrl.get(url) ?? []), ...items]);
      }
    }
    for (const [url, items] of byUrl) post(url, items);
  };

  return {
    follow: (account) =>
      account.mailbox.journal.listen((change: Change) => {
        if (change.entity !== 'message') return;
        // What happens in one go is looked at together: that is how a bulk action shows.
        if (pending.length === 0) setImmediate(flush);
        pending.push({ account, change });
      }),
    lifecycle,
    pending: () => pending.length,
  };
}

/** A move is told as a deletion there and a creation here. */
function itemsOf(change: MessageChange, subscription: Subscription): object[] {
  const { account, folder, changeType } = subscription;
  const message = account.mailbox.message(change.uid);
  const wanted = changeType.split(',').map((type) => type.trim());
  const inFolder = (uid: number | null) => folder === null || folder === uid;
  const item = (type: string, place: number | null, placement: number) => {
    if (!wanted.includes(type) || !inFolder(place)) return [];
    const id = account.ids.ofMessage({ uid: change.uid, placement }, subscription.immutableIds);
    const resource = `Users/${account.id}/Messages/${id}`;
    return [
      {
        subscriptionId: subscription.id,
        subscriptionExpirationDateTime: new Date(subscription.expiresAt).toISOString(),
        changeType: type,
        resource,
        resourceData: {
          '@odata.type': '#Microsoft.Graph.Message',
          '@odata.id': resource,
          ...(message ? { '@odata.etag': etagOf(message, account) } : {}),
          id,
        },
        clientState: subscription.clientState,
        tenantId: account.tenant,
      },
    ];
  };
  const present = message?.placement ?? change.placement;
  switch (change.kind) {
    case 'created':
      return item('created', change.folder, present);
    case 'read':
    case 'changed':
      return item('updated', change.folder, present);
    case 'moved':
      return [...item('created', change.folder, present), ...item('deleted', change.from, change.placement)];
    case 'deleted':
      return item('deleted', change.folder, change.placement);
    default:
      return change.kind satisfies never;
  }
}
