/** Whether the log is still the one we stand in (ARCHITECTURE, invariant 4). Pure. */
import { createHash } from 'node:crypto';
import type { Stored, StreamState } from '@mailstream/bus';
import type { Checkpoint } from './checkpoint-rows.ts';
import type { RepairKind } from './port.ts';

/** What identifies a log, and where it begins and ends. */
type Log = Pick<StreamState, 'created' | 'first' | 'last'>;

/**
 * What is wrong with the log, seen from a checkpoint; null when nothing is. `found` is the fingerprint of the message at the checkpoint's position,
 * null when there is none: it may have been purged with its account, so its absence proves nothing.
 */
export function logDamage(at: Checkpoint, log: Log, found: string | null): RepairKind | null {
  if (!isSameLog(at.epoch, log)) return 'recreated';
  if (at.position > log.last) return 'truncated';
  if (log.first > at.position + 1n) return 'expired';
  if (at.fingerprint !== null && found !== null && at.fingerprint !== found) return 'restored';
  return null;
}

/**
 * An epoch is when the stream was created and how often we have lost our place in it: a log that was cut or put back counts the same sequences
 * again for other events. `lift` is what makes versions of sequences.
 */
export function epochOf(log: Log, losses: number, lift = 0n): string {
  return `${log.created}/${losses}/${lift}`;
}

export function isSameLog(epoch: string, log: Log): boolean {
  return epoch.startsWith(`${log.created}/`);
}

/** The epoch after our place was lost and moved: what comes behind the new one is lifted above all that was folded before. */
export function nextEpoch(
  { position, epoch }: Pick<Checkpoint, 'position' | 'epoch'>,
  movedTo: bigint,
  log: Log,
): string {
  const lift = liftOf(epoch);
  const behind = position - movedTo;
  return epochOf(log, lossesOf(epoch) + 1, behind > 0n ? lift + behind : lift);
}

/** How often our place in the log was lost: more than never, and it does not hold all that was folded. */
export function lossesOf(epoch: string): number {
  return Number(epoch.split('/')[1]);
}

/** What is to be added to a sequence of this epoch for the version of what it changes. */
export function liftOf(epoch: string): bigint {
  return BigInt(epoch.split('/')[2] ?? 0);
}

/** Tells one stored message from another. Not the event's own id: third parties may store anything under any id, or none. */
export function fingerprintOf({ time, data }: Pick<Stored, 'time' | 'data'>): string {
  return `${time.toISOString()} ${createHash('sha256').update(data).digest('base64url')}`;
}

/** When the message with this fingerprint was stored. */
export function timeOf(fingerprint: string): Date {
  return new Date(fingerprint.split(' ')[0] ?? '');
}
