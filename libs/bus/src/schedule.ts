/** Schedules kept by the server (nats-server ADR-51): a message on `SYNC` that makes the server publish a hint at a time or at intervals. */
import { type AccountRef, subjects } from '@mailstream/contracts';
import type { Link } from './link.ts';
import { purge } from './lookup.ts';
import type { Bus } from './port.ts';
import { publish } from './publish.ts';

type When = Parameters<Bus['schedule']>[2];

/** The server's shortest interval. */
const MIN_EVERY_MS = 1_000;

/** Sets a schedule; the stream keeps one message per subject, so the schedule of that kind before it is gone. */
export async function schedule(
  link: Link,
  account: AccountRef,
  kind: string,
  when: When,
  target: string,
): Promise<void> {
  await publish(link, {
    subject: subjects.schedule(account, kind),
    data: {},
    headers: { 'Nats-Schedule': pattern(when), 'Nats-Schedule-Target': target },
  });
}

export async function cancelSchedule(link: Link, account: AccountRef, kind: string): Promise<void> {
  await purge(link, 'SYNC', subjects.schedule(account, kind));
}

function pattern(when: When): string {
  if ('at' in when) return `@at ${when.at.toISOString()}`;
  if (!(when.everyMs >= MIN_EVERY_MS))
    throw new RangeError(`a schedule's interval is at least ${MIN_EVERY_MS} ms, not ${when.everyMs}`);
  return `@every ${Math.round(when.everyMs)}ms`;
}
