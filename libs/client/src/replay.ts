/** Setting a durable subscription to another place in the change stream. */
import { type Bus, BusError, type TenantChanges } from '@mailstream/bus';
import { subjects } from '@mailstream/contracts';
import { pause } from '@mailstream/runtime/base';
import { type Saved, toSaved } from './claim.ts';
import { checkKept, positionFor, type StartAt } from './position.ts';

export interface ReplayOptions {
  readonly tenant: string;
  /** Of the subscription. */
  readonly name: string;
  readonly to: StartAt;
  /** Default: false. */
  readonly dryRun?: boolean;
}

export interface Replay {
  /** Up to where it had handled all, and up to where it takes all for handled from now on. */
  readonly was: bigint;
  readonly now: bigint;
  /** Changes of the tenant behind the new place, of any account and type: a subscription gets those that it selects. */
  readonly changes: number;
}

type ReplayBus = Pick<Bus, 'publishBatch'> & TenantChanges;

/** Who runs it saves several times a second, and each time may be in between. */
const TRIES = 50;
const TRY_MS = 20;

export async function replay(
  bus: ReplayBus,
  { tenant, name, to, dryRun = false }: ReplayOptions,
  signal: AbortSignal,
): Promise<Replay | null> {
  const subject = subjects.subscriber(tenant, name);
  const floor = await positionFor(bus, to, signal);
  await checkKept(bus, floor);
  const changes = await bus.count('CHANGES', subjects.changesOf(tenant), floor.sequence + 1n);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const stored = await bus.last('SUBSCRIBERS', subject);
    if (!stored) return null;
    const saved: Saved | null = JSON.parse(Buffer.from(stored.data).toString());
    if (!saved) return null;
    const moved = { was: BigInt(saved.floor.sequence), now: floor.sequence, changes };
    if (dryRun) return moved;
    // Held by nobody: whoever works on it finds itself fenced, and claims it again from here.
    const data = toSaved({ floor, ahead: new Map() }, null);
    const fence = { subject, sequence: stored.sequence };
    const { outcome } = await bus.publishBatch([{ subject, data }], fence);
    if (outcome === 'committed') return moved;
    await pause(TRY_MS, signal);
  }
  throw new BusError('bus.unavailable', `the place of ${name} could not be written: try again`);
}
