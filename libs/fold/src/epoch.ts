/** Whether the log is still the one we stand in (DESIGN 4.2). Pure. */
import { createHash } from 'node:crypto';
import type { StreamState } from '@mailstream/bus';
import type { Checkpoint } from './checkpoint-rows.ts';
import type { RepairKind } from './port.ts';

/**
 * What is wrong with the log, seen from a checkpoint; null when nothing is. `eventId` is that of the message at the checkpoint's position, null when
 * there is none: it may have been purged with its account, so its absence proves nothing.
 */
export function logDamage(at: Checkpoint, log: StreamState, eventId: string | null): RepairKind | null {
  if (!isSameLog(at.epoch, log)) return 'recreated';
  if (at.position > log.last) return 'truncated';
  if (log.first > at.position + 1n) return 'expired';
  if (at.eventId !== null && eventId !== null && at.eventId !== eventId) return 'restored';
  return null;
}

/**
 * An epoch is when the stream was created and how often we have lost our place in it: a log that was cut or put back counts the same sequences
 * again for other events.
 */
export function epochOf(log: StreamState, losses: number): string {
  return `${log.created}/${losses}`;
}

export function isSameLog(epoch: string, log: StreamState): boolean {
  return epoch.startsWith(`${log.created}/`);
}

export function nextEpoch(epoch: string, log: StreamState): string {
  return epochOf(log, Number(epoch.split('/')[1]) + 1);
}

/** The CloudEvents id of a message; of one that has none, a digest. */
export function eventIdOf(data: Uint8Array): string {
  try {
    const event: unknown = JSON.parse(Buffer.from(data).toString());
    if (typeof event === 'object' && event && 'id' in event && typeof event.id === 'string') return event.id;
  } catch {
    // Third parties may store anything.
  }
  return `sha256:${createHash('sha256').update(data).digest('base64url')}`;
}
