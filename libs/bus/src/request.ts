/** Request and reply: questions that are answered now or not at all. Nothing is stored. */
import {
  AppError,
  inChildSpan,
  inSpan,
  type Logger,
  TRACEPARENT,
  traceParentOf,
} from '@mailstream/runtime/base';
import type { Msg } from '@nats-io/nats-core';
import { BusError } from './errors.ts';
import type { Link } from './link.ts';
import { plainHeaders, wireHeaders } from './message.ts';
import { about } from './trace.ts';

/** The headers of NATS services (ADR-32) for an answer that is an error. */
const ERROR_TEXT = 'Nats-Service-Error';
const ERROR_CODE = 'Nats-Service-Error-Code';
/** Who answers could not ask the server itself: worth asking again. */
const PASSES = '503';

export async function request(
  link: Link,
  subject: string,
  data: unknown,
  timeoutMs: number,
): Promise<Uint8Array> {
  await link.ready();
  const attributes = about('request', 'send', subject);
  const name = `request ${attributes['messaging.destination.name']}`;
  const reply = await inChildSpan(name, { kind: 'client', attributes }, (span) => {
    const own = traceParentOf(span);
    const headers = own === undefined ? {} : { headers: wireHeaders({ [TRACEPARENT]: own }) };
    return link.ask(subject, JSON.stringify(data), { timeoutMs, ...headers });
  });
  const problem = reply.headers?.get(ERROR_TEXT);
  if (problem) {
    const code = reply.headers?.get(ERROR_CODE) === PASSES ? 'bus.unavailable' : 'bus.answer_failed';
    throw new BusError(code, `${subject}: ${problem}`);
  }
  return reply.data;
}

/** Answers until `signal` aborts, then waits for the answers under way. What `answer` throws is told to who asked, if it is fit to be told. */
export async function respond(
  link: Link,
  logger: Logger,
  subject: string,
  group: string,
  answer: (subject: string, data: Uint8Array) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return;
  const running = new Set<Promise<void>>();
  const subscription = link.nc.subscribe(subject, {
    queue: group,
    callback(error, msg) {
      if (error) return logger.error({ err: error, subject }, 'requests can no longer be answered');
      const one = answerOne(logger, msg, answer).finally(() => running.delete(one));
      running.add(one);
    },
  });
  const aborted = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => aborted.resolve(), { once: true });
  await aborted.promise;
  await subscription.drain();
  await Promise.all(running);
}

async function answerOne(
  logger: Logger,
  msg: Msg,
  answer: (subject: string, data: Uint8Array) => Promise<unknown>,
): Promise<void> {
  try {
    const attributes = about('answer', 'process', msg.subject);
    const name = `answer ${attributes['messaging.destination.name']}`;
    const parent = plainHeaders(msg.headers)[TRACEPARENT] ?? null;
    const answered = await inSpan(name, { kind: 'server', attributes, parent }, () =>
      answer(msg.subject, msg.data),
    );
    msg.respond(JSON.stringify(answered));
  } catch (error) {
    logger.warn({ err: error, subject: msg.subject }, 'a request could not be answered');
    const text = error instanceof AppError ? error.message : 'internal error';
    const oneLine = text.replaceAll(/[\r\n]+/g, ' ');
    const code =
      error instanceof BusError && ['network', 'timeout'].includes(error.errorClass) ? PASSES : '500';
    msg.respond('', { headers: wireHeaders({ [ERROR_TEXT]: oneLine, [ERROR_CODE]: code }) });
  }
}
