/** Readers of `CHANGES` for subscribers: asked for by who may not make consumers, made by who may, for one tenant each. */
import { ChangesReaderReply, ChangesReaderRequest, isToken, subjects } from '@mailstream/contracts';
import { AppError, type Logger } from '@mailstream/runtime/base';
import { Compile } from 'typebox/compile';
import { BusError } from './errors.ts';
import type { Link } from './link.ts';
import { at, last, state } from './lookup.ts';
import type { StreamState, TenantChanges } from './port.ts';
import { createReader, readConsumer } from './read.ts';
import { request, respond } from './request.ts';

const STREAM = 'CHANGES';
const ANSWER_MS = 10_000;

/** The server forgets a lent reader that asked for nothing for so long, milliseconds: nobody says when it is done with it. */
const INACTIVE_MS = 60_000;

const asked = Compile(ChangesReaderRequest);
const answered = Compile(ChangesReaderReply);

/** Answers until `signal` aborts. A tenant gets readers of its own changes only: whose it is, the subject of its question says. */
export function lendReaders(link: Link, logger: Logger, signal: AbortSignal): Promise<void> {
  const answer = async (subject: string, data: Uint8Array): Promise<ChangesReaderReply> => {
    const tenant = subject.split('.').at(-1) ?? '';
    const question: unknown = JSON.parse(new TextDecoder().decode(data));
    if (!asked.Check(question)) throw refusal('the question makes no sense');
    const foreign = question.read?.filters.find((filter) => !isFilterOf(tenant, filter));
    if (foreign !== undefined) throw refusal(`${foreign} is no filter for changes of ${tenant}`);
    const now = await stateOrNull(link);
    if (!now) return NO_STREAM;
    const { created, first, last: end, messages } = now;
    const found = question.at === undefined ? null : await at(link, STREAM, BigInt(question.at));
    const reader = question.read ? await lend(link, question.read) : null;
    return {
      created,
      first: String(first),
      last: String(end),
      messages,
      storedAt: found?.time.toISOString() ?? null,
      pending: reader?.num_pending ?? 0,
      consumer: reader?.name ?? null,
    };
  };
  return respond(link, logger, subjects.changesReader('*'), 'changes-readers', answer, signal);
}

const NO_STREAM: ChangesReaderReply = {
  created: null,
  first: '0',
  last: '0',
  messages: 0,
  storedAt: null,
  pending: 0,
  consumer: null,
};

async function stateOrNull(link: Link): Promise<StreamState | null> {
  try {
    return await state(link, STREAM);
  } catch (error) {
    if (error instanceof BusError && error.code === 'bus.no_stream') return null;
    throw error;
  }
}

function lend(link: Link, { filters, from }: NonNullable<ChangesReaderRequest['read']>) {
  const start = 'sequence' in from ? BigInt(from.sequence) : new Date(from.time);
  if (start instanceof Date && Number.isNaN(start.getTime())) throw refusal('that is no time');
  return createReader(link, STREAM, filters, start, INACTIVE_MS);
}

function refusal(problem: string): AppError {
  return new AppError('bus.refused', 'permanent', problem);
}

/** Exactly this tenant in the second place, and no wildcard that reaches out of it. */
export function isFilterOf(tenant: string, filter: string): boolean {
  const [root, owner, ...rest] = filter.split('.');
  return (
    root === 'changes' &&
    isToken(tenant) &&
    owner === tenant &&
    rest.length > 0 &&
    rest.every((token, n) => isToken(token) || token === '*' || (token === '>' && n === rest.length - 1))
  );
}

/** The change stream as a subscriber of this tenant may see it. */
export function tenantChanges(link: Link, tenant: string): TenantChanges {
  const own = (filter: string) => (filter === '>' ? `changes.${tenant}.>` : filter);
  const reading = (filter: string | readonly string[], from: bigint | Date): ChangesReaderRequest => ({
    read: {
      filters: [filter].flat().map(own),
      from: from instanceof Date ? { time: from.toISOString() } : { sequence: String(from) },
    },
  });
  const ask = async (question: ChangesReaderRequest) => {
    const data = await request(link, subjects.changesReader(tenant), question, ANSWER_MS);
    const reply: unknown = JSON.parse(new TextDecoder().decode(data));
    if (!answered.Check(reply))
      throw new BusError('bus.answer_failed', 'what was said of CHANGES makes no sense here');
    const { created } = reply;
    if (created === null) throw new BusError('bus.no_stream', 'the CHANGES stream is gone');
    return { ...reply, created };
  };
  return {
    async state() {
      const { created, first, last: end, messages } = await ask({});
      // Its size is nobody's business outside.
      return { created, first: BigInt(first), last: BigInt(end), messages, bytes: 0 };
    },
    async at(_stream, sequence) {
      const { storedAt } = await ask({ at: String(sequence) });
      return storedAt === null ? null : { time: new Date(storedAt) };
    },
    last: (stream, filter) => last(link, stream, own(filter)),
    async count(_stream, filter, from) {
      const { pending } = await ask(reading(filter, from));
      return pending;
    },
    async *read(stream, filter, from, signal) {
      if (signal.aborted) return;
      const { consumer } = await ask(reading(filter, from));
      if (consumer === null) throw new BusError('bus.answer_failed', 'no reader was lent');
      yield* readConsumer(link, stream, consumer, signal);
    },
  };
}
