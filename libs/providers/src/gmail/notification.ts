/** Gmail's notifications as Pub/Sub wraps them: "Push notifications" of the Gmail API, "Receive push messages" of Pub/Sub. */
import { field, parseJson, textOf } from '../json.ts';
import type { Notification, Webhook } from '../webhook.ts';
import type { GooglePushConfig } from './push-config.ts';
import { createPushVerifier } from './push-token.ts';

export function createGmailWebhook(config: GooglePushConfig): Webhook {
  return {
    provider: 'google',
    paths: ['google'],
    challenge: null,
    verify: createPushVerifier(config),
    // Never null: what is refused comes again for days.
    read: (body) => [readMessage(field(body, 'message'))],
  };
}

/**
 * A message of Pub/Sub; null when Gmail would not send it. What it is about is only a reason to look, so its history id is not kept. The history
 * itself may be a moment behind.
 */
export function readMessage(message: unknown): Notification | null {
  // Either alphabet of base64.
  const data = parseJson(Buffer.from(textOf(message, 'data') ?? '', 'base64').toString());
  const address = textOf(data, 'emailAddress');
  if (address === null || !isHistoryId(field(data, 'historyId'))) return null;
  return { subscription: subscriptionOf(address), secret: null, about: 'announced' };
}

/** Of one mailbox and Cloud project there is one watch: its id is the mailbox's address. */
export function subscriptionOf(address: string): string {
  return address.toLowerCase();
}

/** Documented as text, sent as a number. */
function isHistoryId(value: unknown): boolean {
  return typeof value === 'string' ? /^\d+$/.test(value) : Number.isInteger(value);
}
