/** Where providers are to send notifications: what they go through, or the gateway's public address, if there is one that they would take. */
import type { Provider } from '@mailstream/providers';

/** In place of an address, why there is none. */
export type Destination = { readonly url: string } | { readonly url: null; readonly missing: string };

export type DestinationOf = (provider: string) => Destination;

/** Providers insist on https; on this machine there are only simulators of them. */
const TAKEN = /^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$))/i;

const NOT_REACHED =
  'MAILSTREAM_PUBLIC_URL is not set to an https address at which the provider can reach the gateway';

export function createDestinations(
  publicUrl: string | null,
  providers: readonly Pick<Provider, 'name' | 'push' | 'relay'>[],
): DestinationOf {
  const known = new Map(providers.map((provider) => [provider.name, provider]));
  return (name) => {
    const { push, relay } = known.get(name) ?? {};
    if (push !== 'webhook') return { url: null, missing: 'the provider tells nothing' };
    if (relay?.address) return { url: relay.address };
    if (relay) return { url: null, missing: relay.missing };
    if (publicUrl === null || !TAKEN.test(publicUrl)) return { url: null, missing: NOT_REACHED };
    return { url: `${publicUrl.replace(/\/+$/, '')}/v1/webhooks/${name}` };
  };
}
