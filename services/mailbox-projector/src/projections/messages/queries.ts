/** Messages between the fold and the database. */
import type { Tx } from '@mailstream/db';
import type { Batch, Location } from '../../batch.ts';
import { records, timestamp } from '../../sql.ts';
import { DELETE_COPIES } from './delete-copies.sql.ts';
import { INSERT_MESSAGES } from './insert-messages.sql.ts';
import { LOAD_MESSAGES } from './load-messages.sql.ts';
import { LOAD_ID_WINDOWS, LOAD_UID_WINDOWS } from './load-windows.sql.ts';
import { MAX_SAME_HINT } from './projection.ts';
import {
  type Content,
  type CopyState,
  contentOf,
  isUnread,
  type MessageEntry,
  type MessageState,
  type StoredContent,
} from './state.ts';
import { UPDATE_MESSAGES } from './update-messages.sql.ts';
import { WRITE_COPIES } from './write-copies.sql.ts';

interface MessageRow {
  readonly id: string;
  readonly tenant: string;
  readonly account: string;
  readonly version: bigint;
  readonly thread: string;
  readonly key: string | null;
  readonly hint: string | null;
  readonly received_at: Date;
  readonly deleted_at: Date | null;
  readonly was_in: string[] | null;
  readonly subject: string | null;
  readonly snippet: string | null;
  readonly content: StoredContent | null;
  readonly copies: CopyState[];
}

/** All messages that the batch could touch: by what it says, and by the `extra` locations that its lists turn out to be about. */
export async function loadMessages(
  tx: Tx,
  batch: Batch,
  extra: readonly Location[],
): Promise<MessageState[]> {
  const locations = [...batch.locations, ...extra];
  if (locations.length + batch.keys.length === 0) return [];
  const rows = await tx.query<MessageRow>(LOAD_MESSAGES, [
    records(locations),
    records(batch.keys),
    [...batch.hints],
    MAX_SAME_HINT + 1,
  ]);
  return rows.map(({ received_at, deleted_at, was_in, subject, snippet, content, ...row }) => ({
    ...row,
    content: content && contentOf({ subject, snippet }, content),
    receivedAt: received_at.toISOString(),
    deletedAt: deleted_at?.getTime() ?? null,
    wasIn: was_in ?? [],
  }));
}

/** What the view had when the batch began of each list, by window, and where the view differs from the lists. */
export async function loadWindows(
  tx: Tx,
  windows: Batch['windows'],
): Promise<{ readonly had: WindowHad[]; readonly different: Location[] }> {
  const had: WindowHad[] = windows.map(() => ({ known: 0, lacking: [] }));
  const different: Location[] = [];
  const rows = [...(await compareUids(tx, windows)), ...(await compareIds(tx, windows))];
  for (const row of rows) {
    const window = windows[row.n];
    if (!window) continue;
    had[row.n] = { known: Number(row.known), lacking: row.lacking ?? [] };
    const { account, listing } = window;
    const { mailbox, generation } = listing.data;
    for (const id of row.different) different.push({ account, mailbox, generation, id, content: false });
  }
  return { had, different };
}

/** How many of a list's ids the view had, and of a list of names the first that it had not. */
export interface WindowHad {
  readonly known: number;
  readonly lacking: readonly string[];
}

interface WindowRow {
  readonly n: number;
  readonly known: bigint;
  readonly different: string[];
  readonly lacking?: string[];
}

async function compareUids(tx: Tx, windows: Batch['windows']): Promise<WindowRow[]> {
  const bounds: object[] = [];
  const flags: object[] = [];
  for (const [n, window] of windows.entries()) {
    const { ids, runs } = window.listing;
    if (ids) continue;
    bounds.push({ ...boundsOf(window, n), present: multirange(runs) });
    for (const group of Map.groupBy(runs, (run) => JSON.stringify(run.flags)).values()) {
      const [run] = group;
      if (run?.flags) flags.push({ n, flags: run.flags, uids: multirange(group) });
    }
  }
  return bounds.length === 0 ? [] : tx.query<WindowRow>(LOAD_UID_WINDOWS, [records(bounds), records(flags)]);
}

async function compareIds(tx: Tx, windows: Batch['windows']): Promise<WindowRow[]> {
  const bounds: object[] = [];
  const named: object[] = [];
  for (const [n, window] of windows.entries()) {
    const { ids } = window.listing;
    if (!ids) continue;
    bounds.push(boundsOf(window, n));
    for (const id of ids) named.push({ n, id });
  }
  return bounds.length === 0 ? [] : tx.query<WindowRow>(LOAD_ID_WINDOWS, [records(bounds), records(named)]);
}

function boundsOf({ account, listing }: Batch['windows'][number], n: number): object {
  const { data, from: first, to: past } = listing;
  return { n, account, mailbox: data.mailbox, generation: data.generation, first, past };
}

/** The copies of mailboxes that are gone, and of generations that are over. */
export async function loadEmptied(tx: Tx, emptied: Batch['emptied']): Promise<Location[]> {
  if (emptied.length === 0) return [];
  const rows = await tx.query<{ account: string; mailbox: string; generation: string; id: string }>(
    `select c.account, c.mailbox, c.generation, c.id
     from json_to_recordset($1::json) as e (account text, mailbox text, "except" text)
     join copy c using (account, mailbox) where c.generation is distinct from e.except`,
    [records(emptied)],
  );
  return rows.map((row) => ({ ...row, content: false }));
}

/** Writes what changed. Returns, by message, the content of those in `wanted` that memory does not have. */
export async function saveMessages(
  tx: Tx,
  entries: Iterable<MessageEntry>,
  wanted: ReadonlySet<MessageEntry>,
): Promise<ReadonlyMap<string, Content>> {
  const changed = [...entries].filter(({ before, now }) => now !== before);
  const created = changed.filter(({ before }) => before === null);
  const updated = changed.filter(({ before }) => before !== null);
  if (created.length > 0)
    await tx.query(INSERT_MESSAGES, [records(created.map(({ now }) => rowOf(now, now.content)))]);
  const contents =
    updated.length > 0 ? await updateMessages(tx, updated, wanted) : new Map<string, Content>();
  await saveCopies(tx, changed);
  return contents;
}

async function updateMessages(
  tx: Tx,
  entries: readonly MessageEntry[],
  wanted: ReadonlySet<MessageEntry>,
): Promise<Map<string, Content>> {
  const updates = entries.map((entry) => ({
    ...rowOf(entry.now, entry.now.content === entry.before?.content ? null : entry.now.content),
    wanted: wanted.has(entry) && entry.now.content === null,
  }));
  const rows = await tx.query<Pick<MessageRow, 'id' | 'subject' | 'snippet' | 'content'>>(UPDATE_MESSAGES, [
    records(updates),
  ]);
  return new Map(rows.flatMap(({ id, content, ...row }) => (content ? [[id, contentOf(row, content)]] : [])));
}

function rowOf(message: MessageState, content: Content | null) {
  const { subject = null, snippet = null, ...rest } = content ?? {};
  return {
    id: message.id,
    tenant: message.tenant,
    account: message.account,
    version: String(message.version),
    thread: message.thread,
    key: message.key,
    hint: message.hint,
    received_at: message.receivedAt,
    unread: isUnread(message.copies),
    flagged: message.copies.some((copy) => copy.flags.includes('flagged')),
    sender: content?.from.map(({ name, address }) => `${name ?? ''} <${address ?? ''}>`).join('\n') ?? null,
    subject,
    snippet,
    content: content && rest,
    deleted_at: timestamp(message.deletedAt),
    was_in: message.deletedAt === null ? null : message.wasIn,
  };
}

/** Deletes first: a place may have passed from one message to another. */
async function saveCopies(tx: Tx, changed: readonly MessageEntry[]): Promise<void> {
  const gone: object[] = [];
  const written: object[] = [];
  for (const { before, now } of changed) {
    const { account, tenant, id: message } = now;
    for (const copy of before?.copies ?? []) {
      if (!now.copies.some((other) => isSamePlace(other, copy))) gone.push({ account, ...copy });
    }
    for (const copy of now.copies) {
      if (!before?.copies.includes(copy)) written.push({ account, tenant, message, ...copy });
    }
  }
  if (gone.length > 0) await tx.query(DELETE_COPIES, [records(gone)]);
  if (written.length > 0) await tx.query(WRITE_COPIES, [records(written)]);
}

function isSamePlace(a: CopyState, b: CopyState): boolean {
  return a.id === b.id && a.mailbox === b.mailbox && a.generation === b.generation;
}

/** The literal of an `int8multirange`. */
function multirange(runs: readonly { readonly first: number; readonly last: number }[]): string {
  return `{${runs.map(({ first, last }) => `[${first},${last}]`).join(',')}}`;
}
