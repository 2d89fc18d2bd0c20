/** Notifications of Microsoft Graph: "Receive change notifications through webhooks" and "lifecycle notifications" in its documentation. */
import type { Notification, Webhook } from '../webhook.ts';

/** Both kinds may come to either address. */
export const microsoftWebhook: Webhook = {
  provider: 'microsoft',
  paths: ['microsoft', 'microsoft/lifecycle'],
  challenge: 'validationToken',
  read(body) {
    const value = field(body, 'value');
    return Array.isArray(value) ? value.map(toNotification) : null;
  },
};

const LIFECYCLE = new Map<unknown, Notification['about']>([
  [undefined, 'changed'],
  ['missed', 'missed'],
  ['subscriptionRemoved', 'ending'],
  ['reauthorizationRequired', 'ending'],
]);

function toNotification(item: unknown): Notification | null {
  const subscription = field(item, 'subscriptionId');
  const secret = field(item, 'clientState');
  const about = LIFECYCLE.get(field(item, 'lifecycleEvent'));
  if (typeof subscription !== 'string' || typeof secret !== 'string' || about === undefined) return null;
  return { subscription, secret, about };
}

function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}
