/** One IMAP connection in our own terms: every trap of the library is dealt with here, and every failure is a `ProviderError`. */
import type { Reach } from '@mailstream/runtime';
import { type FetchMessageObject, type FetchQueryObject, ImapFlow, type ListResponse } from 'imapflow';
import type { ProviderError } from '../provider.ts';
import { BOUNDS, type Bounds, watchBounds } from './bounds.ts';
import type { Snapshot } from './cursor.ts';
import { imapError, type Place } from './errors.ts';
import { letRowsPassTheLog } from './fast-rows.ts';
import { type Quirks, quirksOfCapabilities } from './quirks.ts';
import type { ImapCredential, ImapSettings } from './settings.ts';
import { formatUids, isIn, NO_UIDS, parseUids, type Uids, uidsOf } from './uids.ts';

const MINUTE = 60_000;
const MEBIBYTE = 1024 * 1024;
/** Servers drop an IDLE after 30 minutes at the latest (RFC 2177). */
const MAX_IDLE_MS = 25 * MINUTE;
/** A command that hears nothing for so long has failed; an IDLE that hears nothing for so long is probed with NOOP. */
const SILENCE_MS = 2 * MINUTE;
const LOGOUT_MS = 1_000;

/** What was changed in a range of known uids since a mod-sequence. */
export interface Delta {
  readonly flags: ReadonlyMap<number, ReadonlySet<string>>;
  /** Uids the server says are gone; some were never known. Empty without QRESYNC. */
  readonly vanished: readonly number[];
}

export interface Examined extends Snapshot {
  /** MAILBOXID where offered. */
  readonly id: string | null;
}

/** One command at a time. After a failure look at `usable`. */
export interface Connection {
  readonly quirks: Quirks;
  /** Whether VANISHED tells of removals. */
  readonly tellsVanished: boolean;
  has(capability: string): boolean;
  usable(): boolean;
  /** Opens a mailbox read-only and freshly, also when it is open already. */
  examine(path: string): Promise<Examined>;
  /** Which of these uids exist in the open mailbox. */
  search(within: Uids): Promise<Uids>;
  /** Reads messages of the open mailbox; those of which no row comes are gone or could not be read. May also tell of flags set meanwhile. */
  fetch(
    uids: Uids,
    query: FetchQueryObject,
    answered: (row: FetchMessageObject) => void,
    reflagged?: (uid: number, flags: ReadonlySet<string>) => void,
  ): Promise<void>;
  delta(within: Uids, since: bigint): Promise<Delta>;
  /** Closes the open mailbox when it is its turn; nobody waits. A server may hang up here when the mailbox was deleted meanwhile. */
  leave(): void;
  /** Every mailbox with its counters; none may be open, its counters would be stale (RFC 9051 section 6.3.11). */
  list(): Promise<ListResponse[]>;
  /** Whether a mailbox is really gone: a listing may name it still, or no longer. */
  isGone(path: string): Promise<boolean>;
  /** Calls `changed` for whatever the server says of the open mailbox by itself. */
  onChange(changed: () => void): void;
  /** Waits in IDLE; returns when the server or another command ended it. False when the server will not idle. */
  idle(): Promise<boolean>;
  noop(): Promise<void>;
  /** The failure that ended the connection. */
  failure(): ProviderError;
  /** Breaks off at once; what is under way fails. */
  abort(): void;
  close(): Promise<void>;
}

export async function openConnection(
  settings: ImapSettings,
  credential: ImapCredential,
  { quirks: hostQuirks, reach }: { readonly quirks: Quirks; readonly reach: Reach },
  signal: AbortSignal,
): Promise<Connection> {
  const { host, user, secure } = settings;
  const port = settings.port ?? (secure ? 993 : 143);
  const server: Place = { host, port, user, secrets: secretsIn(user, credential) };
  let place = server;
  // The library answers some failures with `false`, swallows others, and sleeps minutes on a throttle: its log tells the truth.
  let heard: unknown = null;
  let fatal: unknown = null;
  const hear = (entry: LogEntry) => {
    if (entry.err !== undefined) heard = entry.err;
    if (entry.throttleDelay !== undefined) {
      fatal = entry.err;
      // Not at once: the library begins its sleep only after this line, and wakes only when it is closed meanwhile.
      client.closeAfter();
    }
  };
  const silent = () => undefined;
  const client = new ImapFlow({
    host,
    port,
    secure,
    ...(!secure && settings.allowPlaintext !== true ? { doSTARTTLS: true } : {}),
    // The library connects with these, also without TLS.
    tls: { rejectUnauthorized: settings.allowInvalidCertificate !== true, lookup: reach.lookup },
    auth: 'password' in credential ? { user, pass: credential.password } : { user, ...credential },
    clientInfo: { name: 'Mailstream', vendor: 'Mailstream', version: '0', 'support-url': '' },
    qresync: hostQuirks.vanished,
    disableAutoIdle: true,
    disableCompression: settings.compress !== true,
    maxIdleTime: MAX_IDLE_MS,
    connectionTimeout: 30_000,
    greetingTimeout: 16_000,
    socketTimeout: SILENCE_MS,
    maxLiteralSize: 32 * MEBIBYTE,
    maxLineLength: 32 * MEBIBYTE,
    maxResponseSize: 64 * MEBIBYTE,
    logger: {
      trace: silent,
      info: silent,
      // Gmail says that it throttles at the end of an OK, whose result may then be cut short.
      debug: (entry: LogEntry) => {
        if (entry.src === 's' && /\bOK\b.*\[THROTTLED\]/i.test(entry.msg ?? ''))
          fatal = { code: 'ETHROTTLE', responseText: entry.msg };
      },
      warn: hear,
      error: hear,
    },
  });
  client.on('error', (error: unknown) => {
    fatal = error;
  });
  letRowsPassTheLog(client);

  const fail = (error: unknown): ProviderError =>
    imapError(fatal ?? error ?? heard ?? { code: 'NoConnection', reason: client.byeReason }, place);
  const bounded = async <T>(bounds: Bounds, work: () => Promise<T>): Promise<T> => {
    const ended = watchBounds(
      bounds,
      () => client.stats().received,
      (error) => {
        fatal = error;
        client.close();
      },
    );
    return work().finally(ended);
  };
  const command = async <T>(work: () => Promise<T>, bounds: Bounds = BOUNDS.command): Promise<T> => {
    heard = null;
    try {
      const result = await bounded(bounds, work);
      if (fatal === null) return result;
    } catch (error) {
      throw fail(error);
    }
    throw fail(null);
  };

  const abort = () => client.close();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await command(async () => {
      reach.admit(host);
      await client.connect();
    }, BOUNDS.connect);
  } catch (error) {
    client.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }

  const quirks = quirksOfCapabilities(hostQuirks, new Set(client.capabilities.keys()));
  const condstore = client.capabilities.has('CONDSTORE') && client.enabled.has('CONDSTORE');
  let vanished: number[] = [];
  client.on('expunge', (event: { uid?: number; earlier?: boolean }) => {
    if (event.earlier === true && event.uid !== undefined) vanished.push(event.uid);
  });

  const connection: Connection = {
    quirks,
    tellsVanished: condstore && quirks.vanished && client.enabled.has('QRESYNC'),
    has: (capability) => client.capabilities.has(capability),
    usable: () => client.usable && fatal === null,
    async examine(path) {
      place = { ...server, path };
      const box = await command(() => client.mailboxOpen(path, { readOnly: true }));
      const { uidValidity, uidNext, highestModseq, noModseq, exists, mailboxId } = box;
      return {
        generation: String(uidValidity ?? 0),
        // A server of old may say no UIDNEXT; then the highest uid tells.
        uidNext: uidNext ?? (await nextUid(connection)),
        modseq: condstore && noModseq !== true && highestModseq ? highestModseq : null,
        exists: exists ?? 0,
        id: mailboxId ?? null,
      };
    },
    async search(within) {
      if (within.length === 0) return NO_UIDS;
      const found = await command(() =>
        client.search({ uid: formatUids(within) }, { uid: true, returnOptions: ['ALL'] }),
      );
      if (found === false || found === undefined) throw fail(null);
      return Array.isArray(found) ? uidsOf(found) : readUids(found.all ?? '', fail);
    },
    async fetch(uids, query, answered, reflagged = silent) {
      if (uids.length === 0) return;
      await command(async () => {
        for await (const row of client.fetch(formatUids(uids), query, { uid: true })) {
          // What another client did meanwhile comes in between, with flags only, and without a uid from old servers.
          if (!row.uid || !isIn(uids, row.uid)) continue;
          if (isAnswer(row, query)) answered(row);
          else if (row.flags) reflagged(row.uid, row.flags);
        }
      });
    },
    async delta(within, since) {
      vanished = [];
      const overlapped = since > quirks.modseqOverlap ? since - quirks.modseqOverlap : 1n;
      const flags = new Map<number, ReadonlySet<string>>();
      await command(async () => {
        const range = formatUids(within);
        for await (const row of client.fetch(range, { flags: true }, { uid: true, changedSince: overlapped }))
          if (row.uid && row.flags) flags.set(row.uid, row.flags);
      });
      return { flags, vanished: connection.tellsVanished ? vanished : [] };
    },
    leave() {
      // Open read-only: CLOSE expunges nothing.
      if (connection.usable() && client.mailbox) client.mailboxClose().catch(silent);
    },
    async list() {
      place = server;
      const counters = {
        messages: true,
        uidNext: true,
        uidValidity: true,
        unseen: true,
        highestModseq: condstore,
      };
      return command(() => client.list({ statusQuery: counters }), BOUNDS.list);
    },
    async isGone(path) {
      heard = null;
      const asking = bounded(BOUNDS.command, () => client.status(path, { messages: true }));
      const status = await asking.catch((error: unknown) => {
        heard = error;
        return false as const;
      });
      if (!connection.usable()) throw fail(heard);
      return status === false && imapError(heard, { ...place, path }).failure === 'gone';
    },
    onChange(changed) {
      for (const event of ['exists', 'expunge', 'flags']) client.on(event, changed);
    },
    async idle() {
      heard = null;
      const idled = await bounded(BOUNDS.idle, () => client.idle());
      if (!connection.usable()) throw fail(heard);
      return idled !== false;
    },
    noop: () => command(() => client.noop()),
    failure: () => fail(heard),
    abort,
    async close() {
      if (connection.usable()) {
        const deadline = AbortSignal.timeout(LOGOUT_MS);
        deadline.addEventListener('abort', abort);
        await client.logout().catch(silent);
        deadline.removeEventListener('abort', abort);
      }
      client.close();
    },
  };
  return connection;
}

interface LogEntry {
  readonly err?: unknown;
  readonly src?: string;
  readonly msg?: string;
  readonly throttleDelay?: unknown;
}

/** Also as SASL sends them (RFC 4616; XOAUTH2). */
function secretsIn(user: string, credential: ImapCredential): string[] {
  if ('password' in credential) return [credential.password, `\0${user}\0${credential.password}`];
  return [credential.accessToken, `user=${user}\x01auth=Bearer ${credential.accessToken}\x01\x01`];
}

/** Whether a row answers the query, rather than telling of another client's change of flags. */
function isAnswer(row: FetchMessageObject, query: FetchQueryObject): boolean {
  if (query.size !== true) return row.flags !== undefined;
  return row.size !== undefined || row.envelope !== undefined || row.internalDate !== undefined;
}

async function nextUid(connection: Connection): Promise<number> {
  const all = await connection.search([[1, 4_294_967_295]]);
  return (all.at(-1)?.[1] ?? 0) + 1;
}

function readUids(set: string, fail: (error: unknown) => ProviderError): Uids {
  try {
    return parseUids(set);
  } catch (error) {
    throw fail(error);
  }
}
