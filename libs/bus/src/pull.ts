/** Pulls messages from a consumer, never more than there is room for, and notices when the consumer is gone or silent. */
import { messageOf } from '@mailstream/runtime/base';
import { type Msg, nanos } from '@nats-io/nats-core';
import type { Link } from './link.ts';

/** The server says that often that a request still waits, milliseconds. */
const HEARTBEAT_MS = 2_000;
/** After this a request has ended by itself and is made anew, milliseconds. */
const EXPIRES_MS = 30_000;

export interface PullOptions {
  readonly stream: string;
  readonly consumer: string;
  /** How many messages the owner could take now if none were on their way. */
  room(): number;
  /** Ask for more when this many or fewer are on their way. */
  readonly low: number;
  onMessage(msg: Msg): void;
  /** Called once when nothing more will come: the consumer or its stream is gone, the connection broke, two heartbeats were missed. */
  onLost(reason: string): void;
}

export interface Pull {
  /** To be called when there is more room. */
  refill(): void;
  /** Stops at once; what is on its way is lost to this process. */
  stop(): void;
  /** Stops; resolves when all that was on its way has been handed over. */
  drain(): Promise<void>;
}

export function openPull(link: Link, options: PullOptions): Pull {
  const { nc } = link;
  const next = `$JS.API.CONSUMER.MSG.NEXT.${options.stream}.${options.consumer}`;
  const inbox = link.inbox();
  // Larger than any message: a request that cannot take the next one would be refused again and again.
  const maxBytes = Math.max(4 * 1_048_576, 2 * link.maxPayload());
  let coming = 0;
  let ticksInSilence = 0;
  let ended = false;

  const end = () => {
    ended = true;
    clearInterval(watchdog);
    forget();
  };
  const lose = (reason: string) => {
    if (ended) return;
    end();
    subscription.unsubscribe();
    options.onLost(reason);
  };
  const refill = () => {
    const wanted = options.room() - coming;
    if (ended || coming > options.low || wanted <= 0) return;
    coming += wanted;
    const request = {
      batch: wanted,
      expires: nanos(EXPIRES_MS),
      idle_heartbeat: nanos(HEARTBEAT_MS),
      max_bytes: maxBytes,
    };
    nc.publish(next, JSON.stringify(request), { reply: inbox });
  };
  const onStatus = (msg: Msg) => {
    if (ended || msg.headers?.code === 100) return;
    // A request that ended says how much of it was left; any other status is about the consumer.
    const left = msg.headers?.get('Nats-Pending-Messages');
    if (!left) return lose(msg.headers?.description || `status ${msg.headers?.code}`);
    coming -= Number(left);
    refill();
  };

  const subscription = nc.subscribe(inbox, {
    // Must not throw: the client would stop reading from its socket for good, in silence.
    callback(error, msg) {
      try {
        ticksInSilence = 0;
        if (error) return lose(error.message);
        if (!msg.reply?.startsWith('$JS.ACK.')) return onStatus(msg);
        coming -= 1;
        options.onMessage(msg);
        refill();
      } catch (cause) {
        lose(messageOf(cause));
      }
    },
  });
  const watchdog = setInterval(() => {
    if (coming <= 0) ticksInSilence = 0;
    else if (++ticksInSilence > 2) lose('two heartbeats missed');
  }, HEARTBEAT_MS);
  const forget = link.on('down', () => lose('the connection broke'));
  refill();

  return {
    refill,
    stop() {
      if (ended) return;
      end();
      subscription.unsubscribe();
    },
    async drain() {
      if (ended) return;
      end();
      await subscription.drain();
    },
  };
}
