/** One account as it was: its facts folded in memory from the first one on, by the same functions that fold them into the tables. */
import type { Bus } from '@mailstream/bus';
import type { AccountRef, CopyView, MailboxView, MessageView } from '@mailstream/contracts';
import { type Page, readAccountPages, type Until } from '@mailstream/fold';
import { AppError } from '@mailstream/runtime';
import { readBatch } from '../batch.ts';
import { foldCursors } from '../projections/cursors/projection.ts';
import { followMerge, type View } from '../projections/index.ts';
import { foldMailboxes } from '../projections/mailboxes/projection.ts';
import { mailboxView } from '../projections/mailboxes/queries.ts';
import { foldMessages } from '../projections/messages/projection.ts';
import { type CopyState, messageView } from '../projections/messages/state.ts';
import { foldThreads } from '../projections/threads/projection.ts';
import { foldFacts, projector } from '../projector.ts';

export interface Past {
  /** By path. */
  readonly mailboxes: readonly MailboxView[];
  /** Newest first. */
  readonly messages: readonly MessageView[];
}

/** What is held in memory for a call. */
const MAX_FACTS = 20_000;
const PATIENCE_MS = 20_000;

/** Throws `past.too_long` when more facts than that made it, and as `readAccountPages` does. */
export async function foldPast(bus: Pick<Bus, 'last' | 'read'>, at: AccountRef, until: Until): Promise<Past> {
  const view: Omit<View, 'windows'> = {
    messages: foldMessages([]),
    threads: foldThreads([]),
    mailboxes: foldMailboxes([]),
    cursors: foldCursors([]),
  };
  let facts = 0;
  const patience = AbortSignal.timeout(PATIENCE_MS);
  for await (const pages of readAccountPages(bus, at, projector.facts, until, patience)) {
    for (const page of pages) facts += page.facts.length;
    if (facts > MAX_FACTS)
      throw new AppError(
        'past.too_long',
        'invalid',
        `more than ${MAX_FACTS} facts made this account what it was then: ask for an earlier time, or follow one message with its history`,
      );
    const batch = readBatch(pages.map(usable));
    foldFacts({ ...view, windows: batch.windows.map(() => ({ known: 0, lacking: [] })) }, batch);
  }
  return { mailboxes: mailboxesOf(view), messages: messagesOf(view) };
}

/** Without the facts that the projector parked, because they say what cannot be. */
function usable(page: Page): Page {
  const facts = page.facts.filter((fact) => {
    try {
      readBatch([{ ...page, facts: [fact], cursor: null }]);
      return true;
    } catch (error) {
      if (error instanceof AppError && error.errorClass === 'parse') return false;
      throw error;
    }
  });
  return { ...page, facts };
}

function mailboxesOf({ mailboxes }: Pick<View, 'mailboxes'>): MailboxView[] {
  const states = [...mailboxes.entries].flatMap(({ now }) => (now?.listed ? [now] : []));
  return states.map(mailboxView).sort((a, b) => (a.path < b.path ? -1 : 1));
}

function messagesOf({ messages, threads, mailboxes }: Omit<View, 'windows'>): MessageView[] {
  const copyView = (account: string, { mailbox, generation, id, flags }: CopyState): CopyView => {
    const { path = mailbox, role = null } = mailboxes.find(account, mailbox) ?? {};
    return { mailbox, path, role, generation, id, flags: [...flags] };
  };
  const views: MessageView[] = [];
  for (const entry of messages.entries) {
    followMerge(entry, threads);
    const { id, account, version, thread, receivedAt, content, copies } = entry.now;
    if (content === null || copies.length === 0) continue;
    const about = { id, account, version: String(version), thread, receivedAt };
    views.push(
      messageView(
        about,
        content,
        copies.map((copy) => copyView(account, copy)),
      ),
    );
  }
  return views.sort((a, b) => (isAfter(a, b) ? -1 : 1));
}

/** As lists have them. */
function isAfter(a: MessageView, b: MessageView): boolean {
  return a.receivedAt > b.receivedAt || (a.receivedAt === b.receivedAt && a.id > b.id);
}
