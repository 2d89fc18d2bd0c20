/** Leases: a lease is an un-acked message on `WATCH`; who holds it renews it, and when its holder dies the server gives it to another. */
import type { Logger } from '@mailstream/runtime/base';
import type { Msg } from '@nats-io/nats-core';
import { createClaims } from './lease-claims.ts';
import type { Link } from './link.ts';
import { last } from './lookup.ts';
import { type Place, placeOf } from './message.ts';
import type { Bus, Lease } from './port.ts';
import { consumeQueue, settle } from './queue.ts';

type LeaseOptions = Parameters<Bus['holdLeases']>[0];

/** What ended by itself while it was wanted comes back after this, milliseconds: no loop runs hot. */
const RETURN_PAUSE_MS = 1_000;

export async function holdLeases(
  link: Link,
  logger: Logger,
  options: LeaseOptions,
  hold: (lease: Lease) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const claims = createClaims(link, options.filter);
  const holds = new Map<string, Promise<void>>();

  const handle = async (msg: Msg) => {
    const place = placeOf(msg.reply);
    if (!place) return;
    const { subject } = msg;
    const end = new AbortController();
    const stop = () => end.abort(signal.reason);
    signal.addEventListener('abort', stop);
    const renewal = keepRenewing(link, msg, place, options.holdMs, (reason) => {
      logger.warn({ subject, reason }, 'a lease was lost');
      end.abort(new DOMException(`the lease was lost: ${reason}`, 'AbortError'));
    });
    const unclaim = claims.claim(subject, () => renewal.lose('it was given out again'));
    const before = holds.get(subject);
    let dropped = false;
    const now = (async () => {
      await before;
      const drop = () => {
        dropped = true;
      };
      if (!end.signal.aborted) await hold({ subject, data: msg.data, drop, signal: end.signal });
    })().catch((error: unknown) => {
      if (!end.signal.aborted) logger.error({ err: error, subject }, 'what a lease protects failed');
    });
    holds.set(subject, now);
    await now;
    if (holds.get(subject) === now) holds.delete(subject);
    renewal.stop();
    unclaim();
    signal.removeEventListener('abort', stop);
    // A lost lease is another's or gone.
    if (renewal.lost()) return;
    const ending = dropped ? settle.done : settle.giveBack(signal.aborted ? 0 : RETURN_PAUSE_MS);
    link.tell(msg.reply ?? '', ending);
  };
  await consumeQueue(link, logger, { ...options, stream: 'WATCH' }, handle, signal);
  claims.close();
}

interface Renewal {
  stop(): void;
  /** Ends it for this reason, unless it was stopped before. */
  lose(reason: string): void;
  lost(): boolean;
}

/** Renews at a third of the hold time. Lost: no renewal was confirmed for a whole hold time, or the message is no longer there. */
function keepRenewing(
  link: Link,
  msg: Msg,
  { sequence }: Place,
  holdMs: number,
  onLost: (reason: string) => void,
): Renewal {
  let lost = false;
  let stopped = false;
  const stop = () => {
    stopped = true;
    clearInterval(renewing);
    clearTimeout(deadline);
  };
  const lose = (reason: string) => {
    if (stopped) return;
    stop();
    lost = true;
    onLost(reason);
  };
  const renew = async () => {
    if (!link.up()) return;
    await link.ask(msg.reply ?? '', settle.inProgress, { timeoutMs: holdMs / 3 });
    // The server confirms the renewal of a message that was taken off, too.
    const there = await last(link, 'WATCH', msg.subject);
    if (there?.sequence !== sequence) return lose('it was taken off');
    if (!stopped) deadline.refresh();
  };
  const renewing = setInterval(() => {
    // Whatever went wrong, the deadline decides.
    renew().catch(() => undefined);
  }, holdMs / 3);
  const deadline = setTimeout(() => lose(`not renewed for ${holdMs} ms`), holdMs);
  return { stop, lose, lost: () => lost };
}
