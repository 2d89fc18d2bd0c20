/** Spans of an IMAP conversation: one per command, named after it, without any of its words. */
import { inChildSpan } from '@mailstream/runtime';
import type { Connection } from './connection.ts';

/** Connects, and lets each command of the connection be a span where it is given within a trace. */
export async function inSpans(host: string, connect: () => Promise<Connection>): Promise<Connection> {
  const attributes = { 'network.protocol.name': 'imap', 'server.address': host };
  const spanned = <T>(command: string, work: () => Promise<T>) =>
    inChildSpan(`IMAP ${command}`, { kind: 'client', attributes }, work);
  const connection = await spanned('connect', connect);
  return {
    ...connection,
    examine: (path) => spanned('EXAMINE', () => connection.examine(path)),
    search: (within) => spanned('SEARCH', () => connection.search(within)),
    fetch: (...query) => spanned('FETCH', () => connection.fetch(...query)),
    delta: (within, since) => spanned('FETCH CHANGEDSINCE', () => connection.delta(within, since)),
    list: () => spanned('LIST', () => connection.list()),
    isGone: (path) => spanned('STATUS', () => connection.isGone(path)),
  };
}
