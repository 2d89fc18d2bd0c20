/** The traces of what a listener is sent: they end with what was written to it. */
import { startSpan } from '@mailstream/runtime';
import type { Entry } from './feed.ts';

/** Notes that these are on their way, until the returned function is called. */
export function beginDelivery(entries: readonly Entry[]): () => void {
  const [parent, ...links] = new Set(entries.flatMap(({ trace }) => trace ?? []));
  if (parent === undefined) return () => undefined;
  const attributes = { 'messaging.batch.message_count': entries.length };
  const span = startSpan('deliver changes', { kind: 'producer', attributes, parent, links });
  return () => span.end();
}
