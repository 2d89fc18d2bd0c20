/** Pushes messages to endpoints until they are acknowledged, or too old. */
import type { PushBehaviour } from '../behaviour.ts';
import type { Clock } from '../clock.ts';
import type { Outbound } from '../http/outbound.ts';
import type { Signer } from '../oauth/signer.ts';
import type { PubSubMessage, Subscription } from './broker.ts';
import { pushToken } from './tokens.ts';

export interface PushStats {
  readonly acknowledged: number;
  /** Attempts that were not. */
  readonly failed: number;
  /** Given up after their time. */
  readonly lost: number;
}

export interface Pusher {
  push(subscription: Subscription, message: PubSubMessage): void;
  stats(): PushStats;
}

const ACKNOWLEDGED = new Set([102, 200, 201, 202, 204]);

/** `isLive`: whether a subscription is still the one it was. */
export function createPusher(
  clock: Clock,
  outbound: Outbound,
  signer: Signer,
  behaviour: () => PushBehaviour,
  isLive: (subscription: Subscription) => boolean,
): Pusher {
  const stats = { acknowledged: 0, failed: 0, lost: 0 };

  async function attempt(
    subscription: Subscription,
    message: PubSubMessage,
    firstAt: number,
    tries: number,
  ): Promise<void> {
    const { push, name, ackDeadlineSeconds } = subscription;
    if (!push || !isLive(subscription)) return;
    const { token: variant, retryMs, keptMs } = behaviour();
    const token = push.oidc && pushToken(push.oidc, variant, clock.now(), signer);
    const { status } = await outbound.post(
      push.pushEndpoint,
      {
        'content-type': 'application/json',
        'user-agent': 'APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      JSON.stringify({ message: envelope(message), subscription: name }),
      ackDeadlineSeconds * 1_000,
    );
    if (ACKNOWLEDGED.has(status)) {
      stats.acknowledged++;
      return;
    }
    stats.failed++;
    const pause = Math.min(retryMs[0] * 2 ** tries, retryMs[1]);
    if (clock.now() + pause > firstAt + keptMs) stats.lost++;
    else clock.at(clock.now() + pause, () => void attempt(subscription, message, firstAt, tries + 1));
  }
  return {
    push: (subscription, message) => void attempt(subscription, message, clock.now(), 0),
    stats: () => ({ ...stats }),
  };
}

/** The ids and times come in both spellings. */
function envelope({ attributes, data, messageId, publishTime }: PubSubMessage) {
  return {
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
    data,
    messageId,
    message_id: messageId,
    publishTime,
    publish_time: publishTime,
  };
}
