/** The trace context in messages: who stores one hands on the trace it works for, who handles one goes on with it. */
import { inChildSpan, inSpan, TRACEPARENT, type TraceParent, traceParentOf } from '@mailstream/runtime/base';
import type { Outgoing, Stored } from './port.ts';

/** The trace that a message belongs to. */
export function traceOf({ headers }: Pick<Outgoing, 'headers'>): TraceParent | undefined {
  return headers?.[TRACEPARENT];
}

/**
 * Stores messages within a span, where there is a trace. A message that bears a context already keeps it; a batch is one thing, so of the others only
 * the last one is given that of the span.
 */
export async function sending<T>(
  messages: readonly Outgoing[],
  send: (traced: readonly Outgoing[]) => Promise<T>,
): Promise<T> {
  const [parent, ...links] = new Set(messages.flatMap((message) => traceOf(message) ?? []));
  const attributes = {
    ...about('send', 'send', messages[0]?.subject ?? ''),
    'messaging.batch.message_count': messages.length,
  };
  const name = `send ${attributes['messaging.destination.name']}`;
  return await inChildSpan(name, { kind: 'producer', attributes, parent, links }, (span) => {
    const last = messages.at(-1);
    const own = traceParentOf(span);
    if (!last || own === undefined || (messages.length > 1 && traceOf(last))) return send(messages);
    return send([...messages.slice(0, -1), { ...last, headers: { ...last.headers, [TRACEPARENT]: own } }]);
  });
}

/** Handles a message within a span, as a part of the trace that the message belongs to. */
export async function processing<T>(message: Stored, work: () => Promise<T>): Promise<T> {
  const attributes = about('process', 'process', message.subject);
  const name = `process ${attributes['messaging.destination.name']}`;
  return await inSpan(name, { kind: 'consumer', attributes, parent: traceOf(message) ?? null }, work);
}

/** By the conventions for messaging. Subjects end in ids, of which there are too many for a name. */
export function about(operation: string, type: string, subject: string) {
  const [first = '', second = ''] = subject.split('.');
  return {
    'messaging.system': 'nats',
    'messaging.destination.name': first === 'sync' || first === 'broker' ? `${first}.${second}` : first,
    'messaging.operation.name': operation,
    'messaging.operation.type': type,
  };
}
