/** Pub/Sub: topics, subscriptions, and messages on their way to each of them. */
import type { PushBehaviour } from '../behaviour.ts';
import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';

export interface PubSubMessage {
  readonly messageId: string;
  /** Base64 of one alphabet or the other. */
  readonly data: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly publishTime: string;
}

export interface PushConfig {
  readonly pushEndpoint: string;
  /** Null: pushed without a token. */
  readonly oidc: { readonly audience: string; readonly serviceAccountEmail: string } | null;
}

export interface Subscription {
  /** `projects/P/subscriptions/S`. */
  readonly name: string;
  readonly topic: string;
  /** Null: it is pulled. */
  readonly push: PushConfig | null;
  readonly ackDeadlineSeconds: number;
}

export interface Broker {
  /** `projects/P/topics/T`; whether Gmail may publish there. */
  createTopic(name: string, gmailMayPublish: boolean): void;
  access(topic: string): 'granted' | 'forbidden' | 'missing';
  /** Replaces one of the same name. Throws when there is no such topic. */
  subscribe(subscription: Subscription): void;
  find(name: string): Subscription | undefined;
  remove(name: string): void;
  /** To every subscription of the topic, as unreliably as told. */
  publish(topic: string, data: Buffer, attributes?: Readonly<Record<string, string>>): void;
  /** Messages that have not reached their subscriptions yet. */
  underWay(): number;
}

/** `arrive` is called for each message that reaches a subscription. */
export function createBroker(
  clock: Clock,
  random: Random,
  behaviour: () => PushBehaviour,
  arrive: (subscription: Subscription, message: PubSubMessage) => void,
): Broker {
  const topics = new Map<string, boolean>();
  const subscriptions = new Map<string, Subscription>();
  let lastId = 8_000_000_000_000_000;
  let underWay = 0;

  const send = (subscription: Subscription, message: PubSubMessage, delayMs: number) => {
    const deliver = () => {
      if (subscriptions.get(subscription.name) === subscription) arrive(subscription, message);
    };
    // Without a delay it is there at once: a clock that stands still holds nothing up.
    if (delayMs === 0) return deliver();
    underWay++;
    clock.at(clock.now() + delayMs, () => {
      underWay--;
      deliver();
    });
  };
  return {
    createTopic: (name, gmailMayPublish) => {
      topics.set(name, gmailMayPublish);
    },
    access: (topic) => {
      const granted = topics.get(topic);
      if (granted === undefined) return 'missing';
      return granted ? 'granted' : 'forbidden';
    },
    subscribe: (subscription) => {
      if (!topics.has(subscription.topic)) throw new Error(`There is no topic ${subscription.topic}.`);
      subscriptions.set(subscription.name, subscription);
    },
    find: (name) => subscriptions.get(name),
    remove: (name) => {
      subscriptions.delete(name);
    },
    publish: (topic, data, attributes = {}) => {
      const { base64, drops, duplicates, reorders, delayMs } = behaviour();
      const message: PubSubMessage = {
        messageId: String(++lastId),
        data: data.toString(base64 === 'standard' ? 'base64' : 'base64url'),
        attributes,
        publishTime: new Date(clock.now()).toISOString(),
      };
      for (const subscription of subscriptions.values()) {
        if (subscription.topic !== topic || random.chance(drops)) continue;
        const copies = random.chance(duplicates) ? 2 : 1;
        const late = random.chance(reorders) ? delayMs[1] : 0;
        for (let copy = 0; copy < copies; copy++) send(subscription, message, random.between(delayMs) + late);
      }
    },
    underWay: () => underWay,
  };
}
