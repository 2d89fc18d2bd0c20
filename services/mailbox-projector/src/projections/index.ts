/** The projections together: what a batch needs of each is loaded, folded in memory (../projector.ts), and saved; one line each. */
import type { Tx } from '@mailstream/db';
import type { Emission } from '@mailstream/fold';
import { LINGER_MS } from '../at.ts';
import type { Batch } from '../batch.ts';
import {
  type MessageChange,
  mailboxEmissions,
  messageChanges,
  messageEmission,
  rethreadedEmission,
  threadEmissions,
} from '../publish-changes.ts';
import { records, timestamp } from '../sql.ts';
import { type CursorFold, foldCursors } from './cursors/projection.ts';
import { loadCursors, saveCursors } from './cursors/queries.ts';
import { foldMailboxes, type MailboxFold } from './mailboxes/projection.ts';
import { loadMailboxes, saveMailboxes } from './mailboxes/queries.ts';
import { foldMessages, type MessageFold } from './messages/projection.ts';
import { loadEmptied, loadMessages, loadWindows, saveMessages, type WindowHad } from './messages/queries.ts';
import { readMessages } from './messages/read.ts';
import type { MessageEntry } from './messages/state.ts';
import { PRUNE } from './prune.sql.ts';
import { foldThreads, type ThreadFold } from './threads/projection.ts';
import { loadThreads, saveMerges, saveThreads } from './threads/queries.ts';

/** The rows a batch may touch, in memory. */
export interface View {
  readonly messages: MessageFold;
  readonly threads: ThreadFold;
  readonly mailboxes: MailboxFold;
  readonly cursors: CursorFold;
  /** For each window of the batch, what the view had of it when the batch began. */
  readonly windows: readonly WindowHad[];
}

export async function loadView(tx: Tx, batch: Batch): Promise<View> {
  const windows = await loadWindows(tx, batch.windows);
  const emptied = await loadEmptied(tx, batch.emptied);
  const messages = await loadMessages(tx, batch, [...windows.different, ...emptied]);
  const copies = messages.flatMap(({ account, copies }) =>
    copies.map(({ mailbox }) => ({ account, mailbox })),
  );
  return {
    messages: foldMessages(messages),
    threads: foldThreads(await loadThreads(tx, new Set(messages.map((m) => m.thread)), batch.threadRefs)),
    mailboxes: foldMailboxes(await loadMailboxes(tx, distinct([...batch.mailboxes, ...copies]))),
    cursors: foldCursors(await loadCursors(tx, batch.scopes)),
    windows: windows.had,
  };
}

/** Writes what the batch made of the view and returns what is to be told of it. */
export async function saveView(tx: Tx, view: View, batch: Batch): Promise<Emission[]> {
  const { messages, threads, mailboxes, cursors } = view;
  for (const entry of messages.entries) followMerge(entry, threads);

  const changes = new Map<MessageEntry, MessageChange[]>();
  for (const entry of messages.entries) {
    const told = messageChanges(entry);
    if (told.length > 0) changes.set(entry, told);
  }

  const contents = await saveMessages(tx, messages.entries, new Set(changes.keys()));
  const inHand = [...messages.entries].map(({ now }) => now.id);
  const rethreaded = await saveMerges(tx, threads, inHand);
  await saveThreads(tx, threads);
  await saveMailboxes(tx, mailboxes.entries);
  await saveCursors(tx, cursors.entries);
  await prune(tx, batch);

  return [
    ...[...mailboxes.entries].flatMap(mailboxEmissions),
    ...[...changes].flatMap(([entry, told]) => {
      const content = entry.now.content ?? contents.get(entry.now.id);
      if (!content) throw new Error(`message ${entry.now.id} changed and its content was not returned`);
      return told.map((change) => messageEmission(entry, change, content, mailboxes));
    }),
    ...(await readMessages(tx, rethreaded)).map(({ tenant, view }) => rethreadedEmission(tenant, view)),
    ...threads.entries().flatMap(threadEmissions),
  ];
}

async function prune(tx: Tx, { lastSeen }: Batch): Promise<void> {
  const due = [...lastSeen].map(([account, time]) => ({ account, before: timestamp(time - LINGER_MS) }));
  if (due.length > 0) await tx.query(PRUNE, [records(due)]);
}

/** A message in hand whose thread became part of another while the batch was folded. */
export function followMerge(entry: MessageEntry, threads: ThreadFold): void {
  const { thread, merged } = threads.resolve(entry.now.thread);
  if (!merged) return;
  const changedSince = entry.now.version > merged.sequence;
  entry.now = { ...entry.now, thread, version: changedSince ? entry.now.version : merged.sequence };
  if (entry.lastAlive) entry.lastAlive = { ...entry.lastAlive, thread };
}

function distinct<T extends { readonly account: string; readonly mailbox: string }>(
  wanted: readonly T[],
): T[] {
  return [...new Map(wanted.map((w) => [`${w.account}\u0000${w.mailbox}`, w])).values()];
}
