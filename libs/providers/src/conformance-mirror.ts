/** How facts are to be read: the reference fold, and a mirror that pulls an account the way orchestrator and fetcher do. For tests only. */

import type {
  Copy,
  FailureClass,
  Lane,
  ListedIds,
  ListedUids,
  MessagePatch,
  MessagePlaced,
} from '@mailstream/contracts';
import {
  copiesOf,
  MAILBOXES_SCOPE,
  MailboxChanged,
  MailboxListed,
  type MailboxUpsert,
  MessageChanged,
  type MessageUpsert,
  parseUidSet,
} from '@mailstream/contracts';
import Value from 'typebox/value';
import { type Change, type Cursor, type Page, ProviderError, type Session } from './provider.ts';

/** What the facts so far say: mailboxes by key, copies by (mailbox, generation, id). */
export interface View {
  readonly mailboxes: Map<string, MailboxUpsert>;
  readonly copies: Map<string, MessageUpsert>;
}

export function foldChange(view: View, change: Change): void {
  switch (change.kind) {
    case 'mailbox':
      foldMailbox(view, change.data);
      break;
    case 'message':
      foldMessage(view, change.data);
      break;
    case 'listed':
      foldListed(view, change.data);
      break;
  }
}

function foldMailbox(view: View, change: MailboxChanged): void {
  if (change.op === 'upsert') {
    view.mailboxes.set(change.mailbox, change);
    return;
  }
  view.mailboxes.delete(change.mailbox);
  for (const [id, { copy }] of view.copies) if (copy.mailbox === change.mailbox) view.copies.delete(id);
}

function foldMessage(view: View, change: MessageChanged): void {
  if (change.op === 'placed' || (change.op === 'upsert' && change.mailboxes)) {
    placeMessage(view, change);
    return;
  }
  const name = nameOf(change.copy);
  const known = view.copies.get(name);
  if (change.op === 'upsert') view.copies.set(name, change);
  else if (change.op === 'removed') view.copies.delete(name);
  // A patch of a copy that is not known says nothing: its upsert will.
  else if (known) view.copies.set(name, { ...known, flags: patched(known.flags, change) });
}

/** All copies of the message are replaced. */
function placeMessage(view: View, change: MessagePlaced | MessageUpsert): void {
  let known: MessageUpsert | null = change.op === 'upsert' ? change : null;
  for (const [name, one] of view.copies) {
    if (one.key !== change.key) continue;
    known ??= one;
    view.copies.delete(name);
  }
  if (known === null) return;
  for (const copy of copiesOf(change)) view.copies.set(nameOf(copy), { ...known, copy, flags: change.flags });
}

function foldListed(view: View, listed: MailboxListed): void {
  const find = 'ids' in listed ? findId(listed) : findUid(listed);
  const gone = new Set<string>();
  for (const [name, known] of view.copies) {
    const { mailbox, generation, id } = known.copy;
    if (mailbox !== listed.mailbox) continue;
    if (generation !== listed.generation) {
      if (listed.sweep) view.copies.delete(name);
      continue;
    }
    const found = find(id);
    if (found === 'gone') {
      view.copies.delete(name);
      if ('everywhere' in listed && listed.everywhere) gone.add(known.key);
    } else if (found.flags) view.copies.set(name, { ...known, flags: found.flags });
  }
  for (const [name, { key }] of view.copies) if (gone.has(key)) view.copies.delete(name);
}

/** What a list says of a copy: that it is gone, or perhaps its flags, or nothing. */
type Said = 'gone' | { readonly flags: string[] | null };

function findId({ from, to, ids }: ListedIds): (id: string) => Said {
  const named = new Set(ids);
  return (id) => (id < from || (to !== null && id >= to) || named.has(id) ? { flags: null } : 'gone');
}

function findUid({ from, to, present }: ListedUids): (id: string) => Said {
  const runs = present.flatMap(({ uids, flags }) =>
    parseUidSet(uids).map(([first, last]) => ({ first, last, flags })),
  );
  return (id) => {
    const uid = Number(id);
    if (uid < from || uid >= to) return { flags: null };
    return runs.find(({ first, last }) => uid >= first && uid <= last) ?? 'gone';
  };
}

function nameOf({ mailbox, generation, id }: Copy): string {
  return `${mailbox}.${generation}.${id}`;
}

function patched(now: readonly string[], { flags, added = [], cleared = [] }: MessagePatch): string[] {
  const all = new Set([...(flags ?? now), ...added]);
  return [...all].filter((flag) => !cleared.includes(flag)).sort();
}

export interface SyncOptions {
  /** Pull every mailbox, not only those whose state changed. */
  readonly all?: boolean;
  /** True: this page is lost before it is stored, and the fetcher with it. */
  readonly losePage?: () => boolean;
  readonly afterPage?: () => Promise<void>;
}

export interface Mirror {
  /** View and cursors always agree: they are stored together. */
  readonly state: { readonly view: View; readonly cursors: Map<string, Cursor> };
  /** Every page stored so far. */
  readonly pages: { readonly scope: string; readonly page: Page }[];
  /** Pulls the list of mailboxes, and those whose state changed or that are not complete. Throws when a page was lost. */
  sync(options?: SyncOptions): Promise<void>;
  pullOnce(
    session: Session,
    scope: string,
    address: string | null,
    lane: Lane,
    options?: SyncOptions,
  ): Promise<void>;
  /** Goes on from a cursor of the past. */
  rewind(scope: string, cursor: Cursor): void;
  /** Whether a sync ended early because a page or the connection was lost; the next one makes it good. */
  isInterruption(error: unknown): boolean;
  copiesIn(path: string): MessageUpsert[];
  /** The mailbox that this one is fetched with: itself mostly. */
  scopeOf(path: string): MailboxUpsert | undefined;
  /** The view in the form of a `World`'s list. */
  listing(): { path: string; generation: string; messages: unknown[] }[];
  close(): Promise<void>;
}

/** How a mirror tries again what failed for a while. */
export interface Patience {
  /** Failures in a row after which it gives up. */
  readonly attempts: number;
  /** Lets the time pass that the provider asked for, or a little, in milliseconds. */
  pass(ms: number): Promise<void>;
}

const TRANSIENT: readonly FailureClass[] = ['network', 'timeout', 'conflict', 'quota'];
const PAUSE_MS = 1_000;

class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export function createMirror(connect: () => Promise<Session>, patience?: Patience): Mirror {
  const view: View = { mailboxes: new Map(), copies: new Map() };
  const cursors = new Map<string, Cursor>();
  const pages: { scope: string; page: Page }[] = [];
  const complete = new Set<string>();
  const dirty = new Set<string>();
  const seeded = new Set<string>();
  const missing = new Map<string, readonly string[]>();
  let session: Session | null = null;

  const store = (scope: string, page: Page) => {
    for (const change of page.changes) {
      assertValid(change);
      foldChange(view, change);
      if (change.kind !== 'mailbox') continue;
      dirty.add(change.data.mailbox);
    }
    // What is stored comes back as JSON.
    cursors.set(scope, JSON.parse(JSON.stringify(page.cursor)));
    if (page.done) complete.add(scope);
    else complete.delete(scope);
    pages.push({ scope, page });
    const lacking = lackingOf(view, page);
    missing.delete(scope);
    if (lacking.length === 0) return;
    missing.set(scope, lacking);
    complete.delete(scope);
    seeded.add(scope);
  };

  const connected = async (): Promise<Session> => {
    if (session && !session.usable()) await mirror.close();
    session ??= await connect();
    return session;
  };

  const pull: Mirror['pullOnce'] = async (using, scope, address, lane, { losePage, afterPage } = {}) => {
    const { signal } = new AbortController();
    const cursor = cursors.get(scope) ?? null;
    const asked = missing.get(scope);
    const request = { scope, address, cursor, lane, signal, ...(asked && { missing: asked }) };
    for await (const page of using.pull(request)) {
      if (losePage?.()) throw new Interrupted('lost before it was stored');
      store(scope, page);
      await afterPage?.();
      if (page.resumeAfterMs !== undefined) await patience?.pass(page.resumeAfterMs);
    }
  };

  const pullAll = async (using: Session, { mailbox, address }: MailboxUpsert, options: SyncOptions) => {
    try {
      if (seeded.delete(mailbox) || complete.has(mailbox))
        await mirror.pullOnce(using, mailbox, address, 'live', options);
      for (let jobs = 0; !complete.has(mailbox); jobs += 1) {
        if (jobs > 1_000) throw new Error(`the import of ${address} never ends`);
        const before = pages.length;
        await mirror.pullOnce(using, mailbox, address, 'backfill', options);
        if (pages.length === before) complete.add(mailbox);
      }
      dirty.delete(mailbox);
    } catch (error) {
      // It was deleted or renamed meanwhile: the next listing says so.
      if (!(error instanceof ProviderError && error.failure === 'gone')) throw error;
    }
  };

  const mirror: Mirror = {
    state: { view, cursors },
    pages,
    async pullOnce(using, ...request) {
      for (let failures = 0; ; failures += 1) {
        try {
          return await pull(failures === 0 ? using : await connected(), ...request);
        } catch (error) {
          if (!(error instanceof ProviderError) || !TRANSIENT.includes(error.failure)) throw error;
          if (!patience || failures === patience.attempts) throw error;
          await patience.pass(error.retryAfterMs ?? PAUSE_MS);
        }
      }
    },
    async sync(options = {}) {
      const using = await connected();
      try {
        await mirror.pullOnce(using, MAILBOXES_SCOPE, null, 'live', options);
        for (const box of [...view.mailboxes.values()])
          if (isScope(box) && (options.all || dirty.has(box.mailbox) || !complete.has(box.mailbox)))
            await pullAll(using, box, options);
      } catch (error) {
        const usable = using.usable();
        if (error instanceof Interrupted || !usable) await mirror.close();
        throw error instanceof ProviderError && !usable
          ? new Interrupted(error.message, { cause: error })
          : error;
      }
    },
    rewind(scope, cursor) {
      cursors.set(scope, cursor);
      complete.delete(scope);
      seeded.add(scope);
    },
    isInterruption: (error) => error instanceof Interrupted,
    scopeOf(path) {
      const box = [...view.mailboxes.values()].find((mailbox) => mailbox.path === path);
      return view.mailboxes.get(box?.scope ?? box?.mailbox ?? '');
    },
    copiesIn(path) {
      const box = [...view.mailboxes.values()].find((mailbox) => mailbox.path === path);
      return [...view.copies.values()].filter(({ copy }) => copy.mailbox === box?.mailbox);
    },
    listing() {
      const boxes = [...view.mailboxes.values()].filter(({ selectable }) => selectable);
      return boxes
        .sort((a, b) => (a.path < b.path ? -1 : 1))
        .map(({ mailbox, path }) => {
          const copies = [...view.copies.values()].filter(({ copy }) => copy.mailbox === mailbox);
          const generations = new Set(copies.map(({ copy }) => copy.generation));
          const messages = copies
            .map(({ copy, flags, content }) => ({ id: copy.id, flags, subject: content.subject }))
            .sort(byId);
          return { path, generation: [...generations].join(' and '), messages };
        });
    },
    async close() {
      await session?.close();
      session = null;
    },
  };
  return mirror;
}

/** Whether it is fetched by itself. */
function isScope({ selectable, mailbox, scope = mailbox }: MailboxUpsert): boolean {
  return selectable && scope === mailbox;
}

/** The ids that the page says there are, and the view has not. */
function lackingOf({ copies }: View, { changes }: Page): string[] {
  return changes.flatMap(({ kind, data }) => {
    if (kind !== 'listed' || !('ids' in data)) return [];
    return data.ids.filter((id) => !copies.has(`${data.mailbox}.${data.generation}.${id}`));
  });
}

export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1;
}

function assertValid({ kind, data }: Change): void {
  const schema = kind === 'message' ? MessageChanged : kind === 'mailbox' ? MailboxChanged : MailboxListed;
  if (!Value.Check(schema, data)) throw new Error(`not a valid fact: ${JSON.stringify(data)}`);
}
