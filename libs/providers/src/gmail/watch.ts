/** The watch of a mailbox: has Gmail publish to a topic of Pub/Sub that something happened ("Push notifications" of the Gmail API). */
import { cleanText } from '@mailstream/contracts';
import { field, textOf } from '../json.ts';
import { ProviderError, type Subscription, type Subscriptions } from '../provider.ts';
import type { GmailClient } from './client.ts';
import type { Answer } from './errors.ts';
import { subscriptionOf } from './notification.ts';

/** It lasts seven days; Google wants to be asked daily. */
const RENEW_MS = 24 * 60 * 60_000;

/** Whatever account it was made for, there is one of each mailbox and Cloud project, and one topic. Asking again renews it. */
export function createWatch(client: GmailClient, now: () => number): Subscriptions {
  async function watch(topic: string, signal: AbortSignal): Promise<Subscription> {
    // Notifications name the mailbox by the address it has now.
    const profile = await client.get('getProfile', '/profile', {}, signal);
    const request = {
      body: { topicName: topic },
      explain: (answer: Answer) => refusalToWatch(answer, topic),
    };
    const answer = await client.post('watch', '/watch', request, signal);
    const address = textOf(profile, 'emailAddress');
    const expiresAt = new Date(Number(textOf(answer, 'expiration') ?? Number.NaN));
    if (address === null || Number.isNaN(expiresAt.getTime()))
      throw new ProviderError('parse', 'gmail.protocol', 'Gmail made a watch without an address or an end.');
    return { id: subscriptionOf(address), expiresAt, renewAt: new Date(now() + RENEW_MS) };
  }

  return {
    create: ({ notificationUrl, signal }) => watch(notificationUrl, signal),
    async renew(id, { notificationUrl, signal }) {
      const renewed = await watch(notificationUrl, signal);
      return renewed.id === id ? renewed : null;
    },
    async end(_id, signal) {
      await client.post('stop', '/stop', { body: {}, explain: () => null }, signal);
    },
  };
}

/** What the operator can do something about; null for all else. */
function refusalToWatch({ status, body }: Answer, topic: string): ProviderError | null {
  const said = cleanText(textOf(field(body, 'error'), 'message') ?? '', 300);
  if (status === 400 && /^Only one user push notification client/i.test(said))
    return new ProviderError(
      'conflict',
      'gmail.push_taken',
      'Another topic is told of this mailbox already: Google allows one per mailbox and Cloud project. Give each installation a project of its own, or the same topic with a subscription for each.',
    );
  if (!/topicName|Cloud ?PubSub/i.test(said)) return null;
  return new ProviderError(
    'permanent',
    'gmail.topic_unusable',
    `Gmail cannot publish to ${topic}: ${said} It must be a topic in the Cloud project of the OAuth client (GOOGLE_PUBSUB_TOPIC), on which gmail-api-push@system.gserviceaccount.com has the role "Pub/Sub Publisher".`,
  );
}
