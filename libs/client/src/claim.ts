/** The place of a durable subscription, kept in the server and held by one process at a time. */
import type { Bus, TenantChanges } from '@mailstream/bus';
import { subjects } from '@mailstream/contracts';
import { pause } from '@mailstream/runtime/base';
import { type Position, positionFor, type StartAt } from './position.ts';
import type { Reached } from './progress.ts';

export type ClaimBus = Pick<Bus, 'publishBatch'> & TenantChanges;

/** Another process took the subscription over. */
export class ClaimLost extends Error {
  override readonly name = 'ClaimLost';
}

export interface Claim {
  readonly start: Reached;
  /** Stores how far it came. Throws `ClaimLost` when the subscription is another's by now. One at a time. */
  save(reached: Reached): Promise<void>;
  /** The same, and lets go, so that another process need not wait. */
  release(reached: Reached): Promise<void>;
}

export interface ClaimOptions {
  readonly tenant: string;
  readonly name: string;
  /** Where to begin when it is new. */
  readonly from: StartAt;
  /** Nobody may be working on it when it was not saved for so long, milliseconds. */
  readonly holdMs: number;
}

/** As it is stored, in JSON. */
export interface Saved {
  readonly holder: string | null;
  readonly floor: Omit<Position, 'sequence'> & { readonly sequence: string };
  readonly ahead: readonly (readonly [account: string, sequence: string])[];
}

/** How often a process that waits looks, milliseconds. */
const LOOK_MS = 250;

/**
 * Waits until nobody else holds the subscription and takes it; null when `signal` aborted first. What is stored is fenced by its sequence, so of two
 * that believe to hold it only one gets on.
 */
export async function claim(
  bus: ClaimBus,
  { tenant, name, from, holdMs }: ClaimOptions,
  holder: string,
  signal: AbortSignal,
): Promise<Claim | null> {
  const subject = subjects.subscriber(tenant, name);
  let sequence = 0n;

  const write = async ({ floor, ahead }: Reached, by: string | null) => {
    const saved = toSaved({ floor, ahead }, by);
    for (;;) {
      const result = await bus.publishBatch([{ subject, data: saved }], { subject, sequence });
      if (result.outcome === 'fenced') throw new ClaimLost(`another process took ${name} over`);
      if (result.outcome === 'committed') {
        sequence = result.sequence;
        return;
      }
      await pause(LOOK_MS, signal);
    }
  };

  let seen = { sequence: -1n, since: 0 };
  while (!signal.aborted) {
    const stored = await bus.last('SUBSCRIBERS', subject);
    const saved: Saved | null = stored && JSON.parse(Buffer.from(stored.data).toString());
    sequence = stored?.sequence ?? 0n;
    if (seen.sequence !== sequence) seen = { sequence, since: performance.now() };
    const isFree = !saved?.holder || saved.holder === holder || performance.now() - seen.since > holdMs;
    if (isFree) {
      const start = saved
        ? restored(saved)
        : { floor: await positionFor(bus, from, signal), ahead: new Map<string, bigint>() };
      try {
        await write(start, holder);
        return {
          start,
          save: (reached) => write(reached, holder),
          release: (reached) => write(reached, null),
        };
      } catch (error) {
        if (!(error instanceof ClaimLost)) throw error;
      }
    }
    await pause(LOOK_MS, signal);
  }
  return null;
}

export function toSaved({ floor, ahead }: Reached, holder: string | null): Saved {
  return {
    holder,
    floor: { ...floor, sequence: String(floor.sequence) },
    ahead: Array.from(ahead, ([account, at]) => [account, String(at)] as const),
  };
}

function restored({ floor, ahead }: Saved): Reached {
  return {
    floor: { ...floor, sequence: BigInt(floor.sequence) },
    ahead: new Map(ahead.map(([account, sequence]) => [account, BigInt(sequence)])),
  };
}
