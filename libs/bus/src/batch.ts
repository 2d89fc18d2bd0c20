/** The atomic batch: all or nothing, contiguous, under a fence if one is given (nats-server ADR-50). The headers are set and the answer is read by ourselves. */
import { nuid } from '@nats-io/nats-core';
import { BusError, BusUnsureError, fromServer, SERVER_CODES, type ServerError } from './errors.ts';
import type { Link } from './link.ts';
import { type Encoded, encode, wireHeaders } from './message.ts';
import type { BatchOutcome, Fence, Outgoing } from './port.ts';
import { askToStore, type PublishAck } from './publish.ts';

/** The server's limit. */
const MAX_MESSAGES = 1_000;

/** The server takes 50 at a time per stream from everybody together; ours wait here, so that it seldom has to refuse. */
const MAX_IN_FLIGHT = 8;

export type PublishBatch = (messages: readonly Outgoing[], fence: Fence | null) => Promise<BatchOutcome>;

export function createBatchPublisher(link: Link): PublishBatch {
  const waiting: (() => void)[] = [];
  let inFlight = 0;

  return async (messages, fence) => {
    if (messages.length === 0 || messages.length > MAX_MESSAGES)
      throw new BusError(
        'bus.batch_size',
        `a batch has 1 to ${MAX_MESSAGES} messages, not ${messages.length}`,
      );
    if (inFlight >= MAX_IN_FLIGHT) await new Promise<void>((resolve) => waiting.push(resolve));
    else inFlight += 1;
    try {
      await link.ready();
      const encoded = messages.map((message) => encode(message, link.maxPayload()));
      return await send(link, encoded, fence);
    } finally {
      const next = waiting.shift();
      if (next) next();
      else inFlight -= 1;
    }
  };
}

/** Everything goes out in one turn of the event loop; the server answers the first message and the last. */
async function send(link: Link, messages: readonly Encoded[], fence: Fence | null): Promise<BatchOutcome> {
  const id = nuid.next();
  const count = messages.length;
  let begun: Promise<PublishAck | null> | undefined;
  let committed: Promise<PublishAck | null> | undefined;

  for (const [index, { subject, payload, headers }] of messages.entries()) {
    const position = index + 1;
    const all = { ...headers, ...batchHeaders(id, position, count, fence) };
    if (position === count) committed = askToStore(link, subject, payload, all);
    else if (position === 1) begun = askToStore(link, subject, payload, all);
    else link.nc.publish(subject, payload, { headers: wireHeaders(all) });
  }
  return await outcome(begun, committed, count);
}

/**
 * What the message at `position` of `count`, from 1, says beside its own headers: the first brings the fence, each names the batch and its place in it,
 * the last commits. One message alone has the fence only: it is all or nothing by itself, and spares the server the files that it makes for a batch.
 */
function batchHeaders(
  id: string,
  position: number,
  count: number,
  fence: Fence | null,
): Record<string, string> {
  const guard = position === 1 && fence ? fenceHeaders(fence) : {};
  if (count === 1) return guard;
  const place = { 'Nats-Batch-Id': id, 'Nats-Batch-Sequence': String(position) };
  return { ...guard, ...place, ...(position === count && { 'Nats-Batch-Commit': '1' }) };
}

/** The answer to the last message decides, but when the first was refused only the answer to that one says why. */
async function outcome(
  begun: Promise<PublishAck | null> | undefined,
  committed: Promise<PublishAck | null> | undefined,
  count: number,
): Promise<BatchOutcome> {
  const [first, final] = await Promise.allSettled([begun, committed]);
  if (final.status === 'fulfilled' && final.value && !final.value.error) {
    if (count === 1 || final.value.count === count)
      return { outcome: 'committed', sequence: BigInt(final.value.seq) };
    throw new BusUnsureError(`the server counts ${final.value.count} messages in a batch of ${count}`);
  }
  if (first.status === 'fulfilled' && first.value?.error) return refusal(first.value.error);
  if (final.status === 'rejected') throw final.reason;
  if (final.value?.error) return refusal(final.value.error);
  throw new BusUnsureError('the server did not answer the end of a batch');
}

function refusal(error: ServerError): BatchOutcome {
  switch (error.err_code) {
    // Two numbers: the fence's subject has another last sequence, or a batch of somebody else on it is under way.
    case SERVER_CODES.wrongLastSequence:
    case SERVER_CODES.wrongLastSequenceUnknown:
      return { outcome: 'fenced' };
    case SERVER_CODES.batchTooManyInFlight:
      return { outcome: 'busy' };
    default:
      throw fromServer('batch', error);
  }
}

function fenceHeaders({ subject, sequence }: Fence): Record<string, string> {
  return {
    'Nats-Expected-Last-Subject-Sequence': String(sequence),
    'Nats-Expected-Last-Subject-Sequence-Subject': subject,
  };
}
