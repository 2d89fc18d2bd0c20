/** All webhooks. Adding one is one line; nothing here loads a provider's library. */
import { microsoftWebhook } from './graph/notification.ts';
import type { Webhook } from './webhook.ts';

export const WEBHOOKS: readonly Webhook[] = [microsoftWebhook];

export type { Notification, Webhook } from './webhook.ts';
