/** Delivers what waits: several endpoints and accounts at a time, of each account one change after the other. */
import type { Bus, Stored } from '@mailstream/bus';
import type { Db } from '@mailstream/db';
import {
  fail,
  inSpan,
  type Logger,
  type Metrics,
  messageOf,
  type Part,
  pause,
  TRACEPARENT,
  traceParentOf,
} from '@mailstream/runtime';
import type { Vault } from '../credentials/vault.ts';
import { claimLanes, type Delivery, type Lane, nextIn, record, release } from './lanes.ts';
import type { Post } from './post.ts';
import { secretsIn, sign } from './secrets.ts';
import { type Attempt, judge } from './verdict.ts';

export interface DeliverDeps {
  readonly bus: Pick<Bus, 'at'>;
  readonly db: Db;
  readonly vault: Vault;
  readonly post: Post;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface Deliveries extends Part {
  /** Something is due: look now. */
  nudge(): void;
}

/** Requests of one process at a time, and of those for one endpoint. */
const PLACES = 32;
const PER_ENDPOINT = 4;
/** How often what is due is looked for, milliseconds: retries, and what another process put up. */
const LOOK_MS = 1_000;
/** An attempt that is under way when we stop may be answered for so long, milliseconds: what is broken off is told once more. */
const STOP_MS = 5_000;
/** What was delivered is shown for a day, what was given up for a month. */
const EXPIRE = `
DELETE FROM control.webhook_delivery
 WHERE state <> 'waiting' AND last_at < CASE state WHEN 'dead' THEN now() - interval '30 days' ELSE now() - interval '1 day' END`;
const EXPIRE_MS = 3_600_000;

export function createDeliveries({ bus, db, vault, post, logger, metrics }: DeliverDeps): Deliveries {
  const attempts = metrics.histogram('mailstream.webhook.attempts');
  let woken = Promise.withResolvers<void>();
  const busy = new Map<string, number>();
  const running = new Set<Promise<void>>();
  /** Breaks off the attempts that are under way. */
  const cut = new AbortController();

  async function attempt(delivery: Delivery): Promise<Attempt> {
    const stored = await bus.at('CHANGES', delivery.sequence);
    if (!stored || stored.time.getTime() !== delivery.storedAt.getTime()) return GONE;
    const { value } = await vault.open({ kind: 'webhook', of: delivery.endpoint }, delivery);
    const secrets = secretsIn(value);
    const signed = sign(secrets, delivery.event, stored.data, Date.now());
    const headers = { 'content-type': 'application/json', 'user-agent': 'Mailstream', ...signed };
    return await inDelivery(stored, (trace) =>
      post(delivery.url, { ...headers, ...trace }, stored.data, cut.signal),
    );
  }

  async function drain(lane: Lane, signal: AbortSignal): Promise<void> {
    for (;;) {
      const delivery = signal.aborted ? null : await nextIn(db, lane);
      if (!delivery) return await release(db, lane);
      const began = performance.now();
      const came = await attempt(delivery);
      // An attempt that we broke off says nothing of the endpoint.
      if (cut.signal.aborted && came.error !== null) return await release(db, lane);
      const now = Date.now();
      const standing = {
        attempts: delivery.attempts + 1,
        firstAt: delivery.firstAt?.getTime() ?? now,
        failingSince: delivery.failingSince?.getTime() ?? null,
      };
      const verdict = came === GONE ? GIVEN_UP : judge(came, standing, now, Math.random());
      attempts.record({ outcome: verdict.kind }, (performance.now() - began) / 1_000);
      if (verdict.kind === 'pause' || verdict.kind === 'dead')
        logger.warn({ endpoint: lane.endpoint, verdict, error: came.error }, 'a webhook cannot be delivered');
      if (!(await record(db, delivery, came, verdict, new Date(now)))) return;
    }
  }

  function start(lane: Lane, signal: AbortSignal): void {
    const { endpoint } = lane;
    busy.set(endpoint, (busy.get(endpoint) ?? 0) + 1);
    const one = drain(lane, signal)
      // It is held until the time is over, and then tried again.
      .catch((err: unknown) => logger.warn({ err, ...lane }, `a webhook is tried again: ${messageOf(err)}`))
      .finally(() => {
        running.delete(one);
        const left = (busy.get(endpoint) ?? 1) - 1;
        if (left > 0) busy.set(endpoint, left);
        else busy.delete(endpoint);
        woken.resolve();
      });
    running.add(one);
  }

  async function look(signal: AbortSignal): Promise<void> {
    const free = PLACES - running.size;
    if (free === 0) return;
    const except = [...busy].filter(([, count]) => count >= PER_ENDPOINT).map(([endpoint]) => endpoint);
    for (const lane of await claimLanes(db, { except, perEndpoint: PER_ENDPOINT, limit: free }))
      start(lane, signal);
  }

  return {
    name: 'webhooks',
    nudge: () => woken.resolve(),
    async run(signal) {
      let expiredAt = 0;
      while (!signal.aborted) {
        woken = Promise.withResolvers();
        try {
          await look(signal);
          if (performance.now() - expiredAt > EXPIRE_MS || expiredAt === 0) {
            expiredAt = performance.now();
            await db.query(EXPIRE);
          }
        } catch (error) {
          logger.warn({ err: error }, `webhooks could not be looked for: ${messageOf(error)}`);
        }
        const waited = new AbortController();
        const either = AbortSignal.any([signal, waited.signal]);
        await Promise.race([woken.promise, pause(LOOK_MS, either)]);
        waited.abort();
      }
      const late = setTimeout(() => cut.abort(), STOP_MS);
      await Promise.all(running);
      clearTimeout(late);
    },
  };
}

/** As a part of the trace that the change belongs to; its receiver can go on with it. */
async function inDelivery(
  { headers }: Stored,
  work: (headers: Readonly<Record<string, string>>) => Promise<Attempt>,
): Promise<Attempt> {
  const parent = headers[TRACEPARENT];
  if (parent === undefined) return await work({});
  const attributes = { 'http.request.method': 'POST' };
  return await inSpan('POST', { kind: 'client', attributes, parent }, async (span) => {
    const attempt = await work({ [TRACEPARENT]: traceParentOf(span) ?? parent });
    if (attempt.status !== null) span.setAttribute('http.response.status_code', attempt.status);
    if (attempt.error !== null) fail(span, attempt);
    return attempt;
  });
}

/** With its account, or by age. */
const GONE: Attempt = { status: null, error: 'the change is not kept any more', retryAfterMs: null };
const GIVEN_UP = { kind: 'dead' } as const;
