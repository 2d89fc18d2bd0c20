/** Messages between the fold and the database. */
import type { Tx } from '@mailstream/db';
import type { Batch, Location } from '../../batch.ts';
import { arrayLiteral, timestamp } from '../../sql.ts';
import { DELETE_COPIES } from './delete-copies.sql.ts';
import { INSERT_MESSAGES } from './insert-messages.sql.ts';
import { LOAD_MESSAGES } from './load-messages.sql.ts';
import { LOAD_WINDOWS } from './load-windows.sql.ts';
import { MAX_SAME_HINT } from './projection.ts';
import { type Content, type CopyState, isUnread, type MessageEntry, type MessageState } from './state.ts';
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
  readonly content: Content | null;
  readonly copies: CopyState[];
}

/** All messages that the batch could touch. */
export async function loadMessages(
  tx: Tx,
  batch: Batch,
  extra: readonly Location[],
): Promise<MessageState[]> {
  const locations = [...batch.locations, ...extra];
  if (locations.length === 0) return [];
  const rows = await tx.query<MessageRow>(LOAD_MESSAGES, [
    locations.map((l) => l.account),
    locations.map((l) => l.mailbox),
    locations.map((l) => l.generation),
    locations.map((l) => l.uid),
    locations.map((l) => l.content),
    batch.keys.map((k) => k.account),
    batch.keys.map((k) => k.key),
    MAX_SAME_HINT + 1,
    [...batch.hints],
  ]);
  return rows.map(({ received_at, deleted_at, was_in, ...row }) => ({
    ...row,
    receivedAt: received_at.toISOString(),
    deletedAt: deleted_at?.getTime() ?? null,
    wasIn: was_in ?? [],
  }));
}

/** How many of a list's uids the view had when the batch began, by window, and where the view differs from the lists. */
export async function loadWindows(
  tx: Tx,
  windows: Batch['windows'],
): Promise<{ readonly known: number[]; readonly different: Location[] }> {
  const known = windows.map(() => 0);
  const different: Location[] = [];
  if (windows.length === 0) return { known, different };
  const withFlags = windows.flatMap(({ listing }, n) =>
    [...Map.groupBy(listing.runs, ({ flags }) => flags && arrayLiteral(flags))].flatMap(([flags, runs]) =>
      flags === null ? [] : [{ n, flags, uids: multirange(runs) }],
    ),
  );
  const rows = await tx.query<{ n: number; known: bigint; different: bigint[] }>(LOAD_WINDOWS, [
    windows.map((_, n) => n),
    windows.map(({ account }) => account),
    windows.map(({ listing }) => listing.data.mailbox),
    windows.map(({ listing }) => listing.data.generation),
    windows.map(({ listing }) => listing.data.from),
    windows.map(({ listing }) => listing.data.to),
    windows.map(({ listing }) => multirange(listing.runs)),
    withFlags.map(({ n }) => n),
    withFlags.map(({ uids }) => uids),
    withFlags.map(({ flags }) => flags),
  ]);
  for (const row of rows) {
    const window = windows[row.n];
    if (!window) continue;
    known[row.n] = Number(row.known);
    const { mailbox, generation } = window.listing.data;
    for (const uid of row.different)
      different.push({ account: window.account, mailbox, generation, uid: Number(uid), content: false });
  }
  return { known, different };
}

/** The copies of mailboxes that are gone, and of generations that are over. */
export async function loadEmptied(tx: Tx, emptied: Batch['emptied']): Promise<Location[]> {
  if (emptied.length === 0) return [];
  const rows = await tx.query<{ account: string; mailbox: string; generation: string; uid: bigint }>(
    `select c.account, c.mailbox, c.generation, c.uid
     from unnest($1::text[], $2::text[], $3::text[]) as e (account, mailbox, kept)
     join view.copy c using (account, mailbox) where c.generation is distinct from e.kept`,
    [emptied.map((e) => e.account), emptied.map((e) => e.mailbox), emptied.map((e) => e.except)],
  );
  return rows.map((row) => ({ ...row, uid: Number(row.uid), content: false }));
}

/** Writes what changed. Returns, by message, the content of those in `wanted` that memory does not have. */
export async function saveMessages(
  tx: Tx,
  entries: Iterable<MessageEntry>,
  wanted: ReadonlySet<MessageEntry>,
): Promise<ReadonlyMap<string, Content>> {
  const changed = [...entries].filter(({ before, now }) => now !== before);
  const created = changed.filter(({ before }) => before === null).map(({ now }) => now);
  const updated = changed.filter(({ before }) => before !== null);
  if (created.length > 0) await insertMessages(tx, created);
  const contents =
    updated.length > 0 ? await updateMessages(tx, updated, wanted) : new Map<string, Content>();
  await saveCopies(tx, changed);
  return contents;
}

async function insertMessages(tx: Tx, messages: readonly MessageState[]): Promise<void> {
  await tx.query(INSERT_MESSAGES, [
    messages.map((m) => m.id),
    messages.map((m) => m.tenant),
    messages.map((m) => m.account),
    messages.map((m) => String(m.version)),
    messages.map((m) => m.thread),
    messages.map((m) => m.key),
    messages.map((m) => m.hint),
    messages.map((m) => m.receivedAt),
    messages.map((m) => isUnread(m.copies)),
    messages.map(isFlagged),
    messages.map((m) => senderOf(m.content)),
    messages.map((m) => JSON.stringify(m.content)),
    messages.map((m) => timestamp(m.deletedAt)),
    messages.map(wasInOf),
  ]);
}

async function updateMessages(
  tx: Tx,
  entries: readonly MessageEntry[],
  wanted: ReadonlySet<MessageEntry>,
): Promise<Map<string, Content>> {
  const contentOf = ({ before, now }: MessageEntry) => (now.content === before?.content ? null : now.content);
  const rows = await tx.query<{ id: string; content: Content | null }>(UPDATE_MESSAGES, [
    entries.map(({ now }) => now.id),
    entries.map(({ now }) => String(now.version)),
    entries.map(({ now }) => now.thread),
    entries.map(({ now }) => now.key),
    entries.map(({ now }) => now.receivedAt),
    entries.map(({ now }) => isUnread(now.copies)),
    entries.map(({ now }) => isFlagged(now)),
    entries.map((entry) => senderOf(contentOf(entry))),
    entries.map((entry) => JSON.stringify(contentOf(entry) ?? undefined) ?? null),
    entries.map(({ now }) => timestamp(now.deletedAt)),
    entries.map(({ now }) => wasInOf(now)),
    entries.map((entry) => wanted.has(entry) && entry.now.content === null),
  ]);
  return new Map(rows.flatMap(({ id, content }) => (content ? [[id, content]] : [])));
}

/** Deletes first: a place may have passed from one message to another. */
async function saveCopies(tx: Tx, changed: readonly MessageEntry[]): Promise<void> {
  const gone: { account: string; copy: CopyState }[] = [];
  const written: { message: MessageState; copy: CopyState }[] = [];
  for (const { before, now } of changed) {
    for (const copy of before?.copies ?? []) {
      if (!now.copies.some((other) => isSamePlace(other, copy))) gone.push({ account: now.account, copy });
    }
    for (const copy of now.copies) {
      if (!before?.copies.includes(copy)) written.push({ message: now, copy });
    }
  }
  if (gone.length > 0)
    await tx.query(DELETE_COPIES, [
      gone.map(({ account }) => account),
      gone.map(({ copy }) => copy.mailbox),
      gone.map(({ copy }) => copy.generation),
      gone.map(({ copy }) => copy.uid),
    ]);
  if (written.length > 0)
    await tx.query(WRITE_COPIES, [
      written.map(({ message }) => message.account),
      written.map(({ copy }) => copy.mailbox),
      written.map(({ copy }) => copy.generation),
      written.map(({ copy }) => copy.uid),
      written.map(({ message }) => message.tenant),
      written.map(({ message }) => message.id),
      written.map(({ copy }) => arrayLiteral(copy.flags)),
      written.map(({ copy }) => copy.derived),
    ]);
}

function isSamePlace(a: CopyState, b: CopyState): boolean {
  return a.uid === b.uid && a.mailbox === b.mailbox && a.generation === b.generation;
}

function isFlagged(message: MessageState): boolean {
  return message.copies.some((copy) => copy.flags.includes('flagged'));
}

function wasInOf(message: MessageState): string | null {
  return message.deletedAt === null ? null : arrayLiteral(message.wasIn);
}

function senderOf(content: Content | null): string | null {
  return content?.from.map(({ name, address }) => `${name ?? ''} <${address ?? ''}>`).join('\n') ?? null;
}

/** The literal of an `int8multirange`. */
function multirange(runs: readonly { readonly first: number; readonly last: number }[]): string {
  return `{${runs.map(({ first, last }) => `[${first},${last}]`).join(',')}}`;
}
