/** Fetches the notifications that wait at a provider, and acknowledges them when their hints are in the log. */
import type { NotificationQueue } from '@mailstream/providers/webhooks';
import { ProviderError } from '@mailstream/providers/webhooks';
import {
  AppError,
  backoffMs,
  type Counter,
  inSpan,
  type Logger,
  messageOf,
  type Part,
  pause,
} from '@mailstream/runtime';
import type { AcceptNotifications } from './accept-notifications.ts';

export interface ReceiverDeps {
  readonly queue: NotificationQueue;
  readonly accept: AcceptNotifications;
  readonly logger: Logger;
  /** By `provider` and `code`. */
  readonly failures: Counter<'mailstream.notification_pulls_failed'>;
}

/** Polls go on meanwhile, and the provider keeps what it has to tell for days. */
const RETRY = { baseMs: 1_000, maxMs: 60_000 };

/** What is fetched but not acknowledged comes again, and does no harm then. Several gateways share a queue. */
export function createReceiver({ queue, accept, logger, failures }: ReceiverDeps): Part {
  const { provider } = queue;

  async function receive(signal: AbortSignal): Promise<void> {
    const received = await queue.receive(signal);
    if (received.length === 0) return;
    const attributes = { 'mailstream.provider': provider };
    await inSpan('receive notifications', { kind: 'consumer', attributes, parent: null }, () =>
      accept(
        provider,
        received.map(({ notification }) => notification),
      ),
    );
    await queue.acknowledge(received, signal);
  }

  return {
    name: `${provider} notifications`,
    async run(signal) {
      for (let attempts = 0; !signal.aborted; ) {
        try {
          await receive(signal);
          attempts = 0;
        } catch (error) {
          if (signal.aborted) return;
          attempts += 1;
          const code =
            error instanceof ProviderError || error instanceof AppError ? error.code : 'unexpected';
          failures.add({ provider, code });
          logger.warn({ err: error, attempts }, `notifications could not be fetched: ${messageOf(error)}`);
          await pause(backoffMs(RETRY, attempts, Math.random()), signal);
        }
      }
    },
  };
}
