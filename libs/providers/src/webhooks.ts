/** How notifications reach the gateway, by provider. Adding a webhook is one line; nothing here loads a provider's library. */
import type { EnvReader } from '@mailstream/runtime';
import { createGmailWebhook } from './gmail/notification.ts';
import { createPubSubQueue } from './gmail/pubsub.ts';
import { type GooglePushConfig, readGooglePushConfig } from './gmail/push-config.ts';
import { microsoftWebhook } from './graph/notification.ts';
import type { NotificationQueue, Webhook } from './webhook.ts';

/** What the gateway is told by its environment. */
export interface NotificationsConfig {
  readonly google: GooglePushConfig;
}

/** `publicUrl`: where the internet reaches the gateway, if it does. */
export function readNotificationsConfig(env: EnvReader, publicUrl: string | null): NotificationsConfig {
  return { google: readGooglePushConfig(env, publicUrl) };
}

export function createWebhooks({ google }: NotificationsConfig): readonly Webhook[] {
  return [microsoftWebhook, createGmailWebhook(google)];
}

/** Those that are configured. */
export function createQueues({ google }: NotificationsConfig): readonly NotificationQueue[] {
  const { queue } = google;
  return queue ? [createPubSubQueue(queue)] : [];
}

export { ProviderError } from './provider.ts';
export type { Notification, NotificationQueue, Webhook } from './webhook.ts';
