/** The work queues of subscriptions: has a provider notify us of an account, go on with it, or stop. */
import { hash, randomBytes } from 'node:crypto';
import type { Bus, WorkItem } from '@mailstream/bus';
import { SubscriptionJob, type SubscriptionReport, subjects } from '@mailstream/contracts';
import { type Provider, ProviderError, type Subscription, type Subscriptions } from '@mailstream/providers';
import type { Logger, Part } from '@mailstream/runtime';
import { Compile } from 'typebox/compile';
import type { Sessions } from './sessions.ts';

const validator = Compile(SubscriptionJob);

/** As for fetch jobs. */
const HOLD_MS = 5_000;
/** Of one provider at a time in this process: nothing is urgent, because polls go on. */
const CONCURRENCY = 4;
const SECRET_BYTES = 32;

export interface SubscriptionDeps {
  readonly bus: Bus;
  readonly sessions: Sessions;
  readonly logger: Logger;
  readonly providers: readonly Pick<Provider, 'name' | 'push'>[];
}

type Refusal = Extract<SubscriptionReport, { ok: false }>;

/** One part per provider with webhooks. */
export function createSubscriptionConsumers({ bus, sessions, logger, providers }: SubscriptionDeps): Part[] {
  async function handle(item: WorkItem, signal: AbortSignal): Promise<void> {
    const job = parse(item.data);
    if (!job) {
      logger.warn({ subject: item.subject }, 'job parked: not a subscription job');
      await bus.park(item, 'bad-payload', 'not a subscription job');
      return item.ack();
    }
    const report = await attempt(job, signal);
    // Off the queue first, as with fetch jobs. A report that is lost then is made good: the question is asked again.
    await item.ack();
    if (report) await bus.publish({ subject: subjects.subscription(job, 'reported'), data: report });
  }

  /** What came of it; null when nobody waits to hear. Only the provider ever sees the secret again: what leaves this process is its hash. */
  async function attempt(job: SubscriptionJob, signal: AbortSignal): Promise<SubscriptionReport | null> {
    const { end, keep } = job;
    const renewed = await ask(job, signal, async (subscriptions) => {
      if (end !== null) await subscriptions.end(end, signal);
      if (!keep?.known) return null;
      return subscriptions.renew(keep.known, { notificationUrl: keep.notificationUrl, signal });
    });
    if (!keep) return null;
    if (!renewed.ok) return renewed;
    const { known, notificationUrl } = keep;
    if (renewed.value) return reportOf(renewed.value, notificationUrl, null);
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const made = await ask(job, signal, (subscriptions) =>
      subscriptions.create({ notificationUrl, secret, signal }),
    );
    if (made.ok) return reportOf(made.value, notificationUrl, hash('sha256', secret));
    // Not renewed, or ended above: it is not there any more.
    const gone = known ?? end;
    return gone === null ? made : { ...made, gone };
  }

  /** What the provider answers, or how it refuses. Throws what is not the provider's doing: the job is then delivered again. */
  async function ask<T>(
    job: SubscriptionJob,
    signal: AbortSignal,
    question: (subscriptions: Subscriptions) => Promise<T>,
  ): Promise<{ readonly ok: true; readonly value: T } | Refusal> {
    try {
      const value = await sessions.use(job, signal, ({ subscriptions }) => {
        if (!subscriptions) throw new Error(`sessions of ${job.provider} know no subscriptions`);
        return question(subscriptions);
      });
      return { ok: true, value };
    } catch (error) {
      if (!(error instanceof ProviderError) || signal.aborted) throw error;
      const { failure, code, message, retryAfterMs } = error;
      logger.warn({ account: job.account, code }, `subscription: ${message}`);
      return { ok: false, failure, code, message: message.slice(0, 1_000), retryAfterMs };
    }
  }

  const subscribable = providers.filter(({ push }) => push === 'webhook');
  return subscribable.map(({ name }) => ({
    name: `${name} subscriptions`,
    run: (signal) =>
      bus.work(
        {
          stream: 'FETCH',
          durable: `fetcher-${name}-subscription`,
          filter: `fetch.${name}.subscription.>`,
          concurrency: CONCURRENCY,
          holdMs: HOLD_MS,
        },
        handle,
        signal,
      ),
  }));
}

function reportOf(
  { id, expiresAt, renewAt }: Subscription,
  notificationUrl: string,
  secretHash: string | null,
): SubscriptionReport {
  const again = renewAt && { renewAt: renewAt.toISOString() };
  return { ok: true, id, secretHash, notificationUrl, expiresAt: expiresAt.toISOString(), ...again };
}

function parse(data: Uint8Array): SubscriptionJob | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    return validator.Check(value) ? value : null;
  } catch {
    return null;
  }
}
