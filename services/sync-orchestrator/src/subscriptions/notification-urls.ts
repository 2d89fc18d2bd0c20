/** Where providers are to send notifications: at the gateway's public address, if there is one that they would take. */
import type { Provider } from '@mailstream/providers';
import type { NotificationUrlOf } from './keeper.ts';

/** Providers insist on https; on this machine there are only simulators of them. */
const TAKEN = /^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$))/i;

export function createNotificationUrls(
  publicUrl: string | null,
  providers: readonly Pick<Provider, 'name' | 'push'>[],
): NotificationUrlOf {
  const webhooks = new Set(providers.filter(({ push }) => push === 'webhook').map(({ name }) => name));
  return (provider) =>
    publicUrl !== null && TAKEN.test(publicUrl) && webhooks.has(provider)
      ? `${publicUrl.replace(/\/+$/, '')}/v1/webhooks/${provider}`
      : null;
}
