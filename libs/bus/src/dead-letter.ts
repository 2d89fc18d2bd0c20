/** Parks what could not be used on `DEAD`, with what is needed to look into it and to put it back. */
import { type DeadLetter, subjects } from '@mailstream/contracts';
import type { Link } from './link.ts';
import type { Bus } from './port.ts';
import { publish } from './publish.ts';

const MAX_PAYLOAD = 65_536;

type Unusable = Parameters<Bus['park']>[0];

export async function park(link: Link, message: Unusable, reason: string, detail: string): Promise<void> {
  await publish(link, {
    subject: subjects.dead(message.stream, reason),
    data: deadLetter(message, reason, detail, new Date()),
  });
}

export function deadLetter(
  { stream, sequence, subject, data }: Unusable,
  reason: string,
  detail: string,
  now: Date,
): DeadLetter {
  return {
    stream,
    sequence: String(sequence),
    subject,
    reason,
    detail,
    parkedAt: now.toISOString(),
    payload: Buffer.from(data.subarray(0, MAX_PAYLOAD)).toString('base64'),
    truncated: data.length > MAX_PAYLOAD,
  };
}
