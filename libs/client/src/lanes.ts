/** Hands changes to a handler: those of one account one after the other, several accounts at a time, a failing one again and again. */
import { backoffMs, createTurns, pause } from '@mailstream/runtime/base';
import type { Change } from './change.ts';

/** A handler that failed, and when it is called again. */
export interface HandlerFailure<C> {
  readonly change: C;
  readonly error: unknown;
  /** How often it was tried, this time included. */
  readonly attempts: number;
  /** Milliseconds until the next try. */
  readonly retryInMs: number;
}

/** A change that is given up. */
export type DeadLetter<C> = Omit<HandlerFailure<C>, 'retryInMs'>;

export interface LaneOptions<C> {
  readonly concurrency: number;
  readonly retry: { readonly baseMs: number; readonly maxMs: number };
  readonly deadLetter?: {
    readonly after: number;
    readonly handle: (letter: DeadLetter<C>) => Promise<void>;
  };
  readonly onError: (failure: HandlerFailure<C>) => void;
  readonly handle: (change: C) => Promise<void>;
  /** Called for each that was handled or given up, in order per account. */
  readonly onDone: (change: C) => void;
}

export interface Lanes<C> {
  /** Resolves when there is room for more. */
  push(changes: readonly C[]): Promise<void>;
  /** Resolves when nothing is under way any more: after the signal has aborted, nothing new is begun. */
  settled(): Promise<void>;
}

/** Changes that wait in memory; what comes after that stays in the stream. */
const MAX_WAITING = 2_000;

export function createLanes<C extends Change>(options: LaneOptions<C>, signal: AbortSignal): Lanes<C> {
  const { concurrency, retry, deadLetter, onError, handle, onDone } = options;
  const turns = createTurns(concurrency);
  const lanes = new Map<string, C[]>();
  const running = new Set<Promise<void>>();
  let waiting = 0;
  let freed = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => freed.resolve(), { once: true });

  /** Waiting for the next try takes no turn: other accounts go on meanwhile. */
  async function settle(change: C): Promise<void> {
    let letter: DeadLetter<C> | null = null;
    for (let attempts = 1; !signal.aborted; attempts += 1) {
      const failed = letter;
      const isDead = deadLetter && failed && attempts > deadLetter.after;
      try {
        const done = await turns(async () => {
          if (signal.aborted) return false;
          await (isDead ? deadLetter.handle(failed) : handle(change));
          return true;
        });
        if (done) onDone(change);
        return;
      } catch (error) {
        if (!isDead) letter = { change, error, attempts };
        const retryInMs = backoffMs(retry, attempts, Math.random());
        onError({ change, error, attempts, retryInMs });
        await pause(retryInMs, signal);
      }
    }
  }

  async function drain(account: string, lane: C[]): Promise<void> {
    for (let [change] = lane; change; [change] = lane) {
      await settle(change);
      lane.shift();
      waiting -= 1;
      freed.resolve();
      if (signal.aborted) return;
    }
    lanes.delete(account);
  }

  return {
    async push(changes) {
      for (const change of changes) {
        waiting += 1;
        const { account } = change.event;
        const lane = lanes.get(account);
        if (lane) lane.push(change);
        else {
          const fresh = [change];
          lanes.set(account, fresh);
          const one = drain(account, fresh).finally(() => running.delete(one));
          running.add(one);
        }
      }
      while (waiting >= MAX_WAITING && !signal.aborted) {
        freed = Promise.withResolvers();
        await freed.promise;
      }
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
