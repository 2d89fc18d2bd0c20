/**
 * Lets rows of FETCH past the library's log: it writes every response out again for a log line, read or not, and that is a third of what
 * reading a message costs it.
 */
import type { ImapFlow } from 'imapflow';
import parseResponse from 'imapflow/lib/handler/imap-parser.js';
import type { ImapAttributeList, ImapResponse, ImapStreamItem } from 'imapflow/lib/handler/types.js';

type UntaggedHandler = (row: ImapResponse) => Promise<void>;

/** What the library keeps to itself (imapflow 2.1, `handleResponse`). */
interface Insides {
  handleResponse(item: ImapStreamItem): Promise<boolean>;
  getUntaggedHandler(command: string, attributes: ImapAttributeList): UntaggedHandler | false | undefined;
}

const FETCH_ROW = /^\* [0-9]+ FETCH /;

/** A version of the library with other insides is left as it is. */
export function letRowsPassTheLog(client: ImapFlow): void {
  if (!hasInsides(client)) return;
  const handleAny = client.handleResponse.bind(client);
  client.handleResponse = async (item) => {
    if (!FETCH_ROW.test(item.payload.toString('latin1', 0, 20))) return handleAny(item);
    const row = await parseResponse(item.payload, { literals: item.literals }).catch(() => null);
    // What cannot be parsed is the library's to judge.
    if (row?.command === undefined || row.attributes === undefined) return handleAny(item);
    const handle = client.getUntaggedHandler(row.command, row.attributes);
    if (handle) await handle(row).catch((err: unknown) => client.log.warn({ err }));
    return true;
  };
}

function hasInsides(client: ImapFlow): client is ImapFlow & Insides {
  return 'handleResponse' in client && 'getUntaggedHandler' in client;
}
