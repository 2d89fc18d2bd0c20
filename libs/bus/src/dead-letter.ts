/** Parks what could not be used on `DEAD`, with what is needed to look into it and to put it back. */
import { createHash } from 'node:crypto';
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
    headers: { 'Nats-Msg-Id': letterId(message, reason) },
  });
}

/** Two folds that stumble over one event, or one that does so again after a crash, are one letter: within the stream's duplicate window. */
function letterId({ stream, sequence, subject, data }: Unusable, reason: string): string {
  return createHash('sha256')
    .update(`${stream} ${sequence} ${subject} ${reason} `)
    .update(data)
    .digest('hex');
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
