/** Subscriptions to change notifications of a mailbox: "subscription resource type" in the documentation of Microsoft Graph. */
import { cleanText } from '@mailstream/contracts';
import { field, listOf, textOf } from '../json.ts';
import {
  ProviderError,
  type Subscription,
  type SubscriptionRequest,
  type Subscriptions,
} from '../provider.ts';
import type { GraphClient } from './client.ts';
import { type Answer, refusalOf } from './errors.ts';

/** Of the seven days that Graph allows for mail, so that clocks need not agree. */
const LIFE_MS = 6.9 * 24 * 60 * 60_000;

export interface SubscriptionDeps {
  readonly client: GraphClient;
  /** `/me` or `/users/{address}`. */
  readonly owner: string;
  /** Milliseconds. */
  readonly now: () => number;
}

export function createSubscriptions({ client, owner, now }: SubscriptionDeps): Subscriptions {
  const resource = `${owner}/messages`;
  const expiry = () => new Date(now() + LIFE_MS).toISOString();
  const at = (id: string) => `/subscriptions/${encodeURIComponent(id)}`;

  async function post({ notificationUrl, secret, signal }: SubscriptionRequest): Promise<Answer> {
    return client.ask('POST', '/subscriptions', signal, {
      changeType: 'created,updated,deleted',
      notificationUrl,
      lifecycleNotificationUrl: `${notificationUrl}/lifecycle`,
      resource,
      expirationDateTime: expiry(),
      clientState: secret,
      latestSupportedTlsVersion: 'v1_2',
    });
  }

  async function end(id: string, signal: AbortSignal): Promise<void> {
    const answer = await client.ask('DELETE', at(id), signal);
    if (!isFine(answer) && answer.status !== 404) throw refusalOf(answer, now());
  }

  /** Those of this mailbox that tell the same address: made before, by who could not tell of it any more. */
  async function endOwn({ notificationUrl, signal }: SubscriptionRequest): Promise<void> {
    const me = owner === '/me' ? textOf(await client.get('?$select=id', signal), 'id') : null;
    // An administrator sees the subscriptions of others, too.
    const isOwn = (one: unknown) =>
      textOf(one, 'notificationUrl') === notificationUrl &&
      (me === null ? textOf(one, 'resource') === resource : textOf(one, 'creatorId') === me);
    for (let next: string | null = '/subscriptions'; next !== null; ) {
      const page: Answer = await client.ask('GET', next, signal);
      if (!isFine(page)) throw refusalOf(page, now());
      for (const one of listOf(page.body, 'value').filter(isOwn)) await end(textOf(one, 'id') ?? '', signal);
      next = textOf(page.body, '@odata.nextLink');
    }
  }

  return {
    end,
    async create(request) {
      let answer = await post(request);
      if (answer.status === 409) {
        await endOwn(request);
        answer = await post(request);
      }
      if (isFine(answer)) return subscriptionIn(answer);
      throw refusalToCreate(answer, request.notificationUrl) ?? refusalOf(answer, now());
    },
    async renew(id, { signal }) {
      const answer = await client.ask('PATCH', at(id), signal, { expirationDateTime: expiry() });
      if (answer.status === 404) return null;
      if (!isFine(answer)) throw refusalOf(answer, now());
      return subscriptionIn(answer);
    },
  };
}

function isFine({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

function subscriptionIn({ body }: Answer): Subscription {
  const id = textOf(body, 'id');
  const expiresAt = new Date(textOf(body, 'expirationDateTime') ?? Number.NaN);
  if (id === null || Number.isNaN(expiresAt.getTime()))
    throw new ProviderError(
      'parse',
      'graph.protocol',
      'Microsoft Graph made a subscription without an id or an end.',
    );
  return { id, expiresAt };
}

/** What people can do something about; null for all else. */
function refusalToCreate({ status, body }: Answer, notificationUrl: string): ProviderError | null {
  if (status === 409)
    return new ProviderError(
      'conflict',
      'graph.subscription_taken',
      'Another installation is notified of this mailbox with the same application; register an application for each.',
    );
  const error = field(body, 'error');
  const said = cleanText(textOf(error, 'message') ?? '', 500);
  if (status !== 400 || !(textOf(error, 'code') === 'ValidationError' || /validation request/i.test(said)))
    return null;
  return new ProviderError(
    'permanent',
    'graph.webhook_unreachable',
    `Microsoft could not reach ${notificationUrl}: ${said} MAILSTREAM_PUBLIC_URL must lead from the internet to the gateway, by https and with a certificate that is trusted.`,
  );
}
