/** A durable subscription: every change at least once, those of an account in order, for as long as anybody subscribes under its name. */
import type { ChangeName } from '@mailstream/contracts';
import { uuidv7 } from '@mailstream/contracts';
import { inSpan, pause } from '@mailstream/runtime/base';
import type { Change, Selection } from './change.ts';
import { filtersOf } from './change.ts';
import { type Claim, type ClaimBus, ClaimLost, claim } from './claim.ts';
import { createLanes, type DeadLetter, type HandlerFailure } from './lanes.ts';
import type { StartAt } from './position.ts';
import { createProgress } from './progress.ts';
import { isPassing, tail } from './tail.ts';

export interface SubscribeOptions<N extends ChangeName = ChangeName> extends Selection<N> {
  /**
   * Names the subscription within its tenant: letters, digits, `-` and `_`. How far it came is kept under this name. Of several processes that
   * subscribe under one name one works and the others stand by.
   */
  readonly name: string;
  /** Where to begin when the name is new (default: `now`); afterwards it goes on where it was. */
  readonly from?: StartAt;
  /** How many changes are handled at a time, each of another account (default: 16). */
  readonly concurrency?: number;
  /** Waiting times after a failure, milliseconds: doubled from `baseMs` to `maxMs` (default: 500 to 60,000), the upper half of it by chance. */
  readonly retry?: { readonly baseMs: number; readonly maxMs: number };
  /**
   * After `after` failed tries of a change `handle` is given it instead, again and again until it resolves, and the account goes on with its next
   * change. Absent: a change is tried until it succeeds, and its account waits meanwhile.
   */
  readonly deadLetter?: {
    readonly after: number;
    readonly handle: (letter: DeadLetter<Change<N>>) => Promise<void>;
  };
  /** Told of each failed try; must not throw. Default: a warning of the process (`process.emitWarning`). */
  readonly onError?: (failure: HandlerFailure<Change<N>>) => void;
  /** After a process died without a word another takes over within about this time, milliseconds (default: 6,000). */
  readonly takeOverMs?: number;
}

/** A change is acknowledged when the promise resolves; when it rejects, the change is tried again. */
export type ChangeHandler<N extends ChangeName = ChangeName> = (change: Change<N>) => Promise<void>;

const RETRY = { baseMs: 500, maxMs: 60_000 };
const TAKE_OVER_MS = 6_000;
const CONCURRENCY = 16;
const REOPEN_MS = 1_000;

/**
 * Runs until `signal` aborts, and then until the handlers under way have ended and how far they came is stored. Throws `ChangesLostError` when what
 * was to come next is not kept any more, and `BusError` when the server refuses for good.
 */
export async function subscribe<N extends ChangeName>(
  bus: ClaimBus,
  options: SubscribeOptions<N>,
  handler: ChangeHandler<N>,
  signal: AbortSignal,
): Promise<void> {
  filtersOf(options);
  const { tenant, name, from = 'now', takeOverMs = TAKE_OVER_MS } = options;
  const holder = uuidv7();
  while (!signal.aborted) {
    try {
      const held = await claim(bus, { tenant, name, from, holdMs: takeOverMs }, holder, signal);
      if (held) await work(bus, options, handler, held, signal);
    } catch (error) {
      if (!(error instanceof ClaimLost) && !isPassing(error)) throw error;
    }
    await pause(REOPEN_MS, signal);
  }
}

/** While the subscription is ours. */
async function work<N extends ChangeName>(
  bus: ClaimBus,
  options: SubscribeOptions<N>,
  handler: ChangeHandler<N>,
  held: Claim,
  signal: AbortSignal,
): Promise<void> {
  const { takeOverMs = TAKE_OVER_MS } = options;
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const progress = createProgress(held.start);
  let moved = Promise.withResolvers<void>();
  const lanes = createLanes<Change<N>>(
    {
      concurrency: options.concurrency ?? CONCURRENCY,
      retry: options.retry ?? RETRY,
      onError: options.onError ?? warn,
      ...(options.deadLetter && { deadLetter: options.deadLetter }),
      handle: (change) => handling(change, () => handler(change)),
      onDone(change) {
        progress.done(change);
        moved.resolve();
      },
    },
    until,
  );

  const read = async () => {
    for await (const { changes, position } of tail(bus, options, held.start.floor, until)) {
      const fresh = new Set<Change>(progress.arrived(changes, position));
      await lanes.push(changes.filter((change) => fresh.has(change)));
      if (fresh.size === 0) moved.resolve();
    }
  };
  /** What is done while one write is under way is in the next; and now and then one just to say that we are there. */
  const save = async () => {
    while (!until.aborted) {
      const timer = setTimeout(() => moved.resolve(), takeOverMs / 3);
      until.addEventListener('abort', () => moved.resolve(), { once: true });
      await moved.promise.finally(() => clearTimeout(timer));
      moved = Promise.withResolvers();
      if (!until.aborted) await held.save(progress.reached());
    }
  };
  const ended = await Promise.allSettled([read(), save()].map((task) => task.finally(() => over.abort())));
  await lanes.settled();
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed?.reason instanceof ClaimLost) throw failed.reason;
  await held.release(progress.reached());
  if (failed) throw failed.reason;
}

/** As a part of the trace that the change belongs to, in whatever telemetry the program has that we are part of. */
function handling({ event }: Change, work: () => Promise<void>): Promise<void> {
  const attributes = {
    'messaging.system': 'nats',
    'messaging.destination.name': 'changes',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'mailstream.change': event.type,
  };
  const { traceparent: parent = null } = event;
  return inSpan('process changes', { kind: 'consumer', attributes, parent }, work);
}

function warn({ change, error, attempts, retryInMs }: HandlerFailure<Change>): void {
  const { type, account } = change.event;
  process.emitWarning(
    `${type} (${change.sequence}) of account ${account} could not be handled, try ${attempts}; next in ${retryInMs} ms: ${String(error)}`,
    { code: 'MAILSTREAM_HANDLER_FAILED' },
  );
}
