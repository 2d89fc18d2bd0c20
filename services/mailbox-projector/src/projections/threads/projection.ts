/** Threads: which messages belong together, and how many there are. Union-find over Message-IDs; pure. */
import { type At, isForgotten } from '../../at.ts';
import { derivedId } from '../../derived-id.ts';
import { isLive, isUnread, type MessageEntry, type Step } from '../messages/state.ts';

export interface ThreadState {
  readonly id: string;
  readonly tenant: string;
  readonly account: string;
  readonly version: bigint;
  readonly subject: string | null;
  readonly messages: number;
  readonly unread: number;
  /** RFC 3339; null while it has no messages. */
  readonly firstAt: string | null;
  readonly lastAt: string | null;
  /** Unix milliseconds; null while it has messages. */
  readonly emptySince: number | null;
}

export interface ThreadEntry {
  readonly before: ThreadState | null;
  now: ThreadState;
  /** Its first or last message went: both ends are to be looked up again. */
  stale: boolean;
}

/** A thread that became part of another, and the fact that last changed which. */
export interface Merge {
  readonly loser: string;
  readonly winner: string;
  readonly at: At;
}

export interface ThreadFold {
  /** Makes sure the message has a thread: the one that any of `refs` belongs to, all of those merged if they are several. */
  link(at: At, message: MessageEntry, refs: readonly string[]): void;
  count(at: At, step: Step): void;
  /** The thread that this one has become; itself if it was not merged. */
  resolve(thread: string): { readonly thread: string; readonly merged: At | null };
  entries(): ThreadEntry[];
  merges(): Merge[];
  /** References that are new, or belong to another thread than before for another reason than a merge. */
  newRefs(): { readonly ref: string; readonly thread: ThreadState }[];
}

export interface LoadedThread extends ThreadState {
  /** Those of the references asked for that belong to it. */
  readonly refs: readonly string[];
}

export function foldThreads(loaded: readonly LoadedThread[]): ThreadFold {
  const threads = new Map<string, ThreadEntry>();
  const threadOfRef = new Map<string, string>();
  const newRefs = new Map<string, string>();
  const mergedInto = new Map<string, { readonly thread: string; readonly merged: At }>();

  for (const { refs, ...state } of loaded) {
    threads.set(state.id, { before: state, now: state, stale: false });
    for (const ref of refs) threadOfRef.set(ref, state.id);
  }

  function resolve(thread: string): { thread: string; merged: At | null } {
    let merged: At | null = null;
    for (let next = mergedInto.get(thread); next; next = mergedInto.get(thread)) {
      thread = next.thread;
      if (merged === null || merged.sequence < next.merged.sequence) merged = next.merged;
    }
    return { thread, merged };
  }

  function entryOf(thread: string): ThreadEntry {
    const entry = threads.get(resolve(thread).thread);
    if (!entry) throw new Error(`thread ${thread} was not loaded`);
    return entry;
  }

  function create(at: At, message: MessageEntry): ThreadEntry {
    const state: ThreadState = {
      id: derivedId(at.time, 'thread', at.account, at.event),
      tenant: at.tenant,
      account: at.account,
      version: at.sequence,
      subject: baseSubject(message.now.content?.subject ?? null),
      messages: 0,
      unread: 0,
      firstAt: null,
      lastAt: null,
      emptySince: at.time,
    };
    const entry = { before: null, now: state, stale: false };
    threads.set(state.id, entry);
    return entry;
  }

  function merge(at: At, winner: ThreadEntry, loser: ThreadEntry): void {
    const [a, b] = [winner.now, loser.now];
    winner.now = {
      ...a,
      version: at.sequence,
      messages: a.messages + b.messages,
      unread: a.unread + b.unread,
      firstAt: earlier(a.firstAt, b.firstAt),
      lastAt: later(a.lastAt, b.lastAt),
      emptySince:
        a.emptySince === null || b.emptySince === null ? null : Math.max(a.emptySince, b.emptySince),
    };
    winner.stale ||= loser.stale;
    mergedInto.set(b.id, { thread: a.id, merged: at });
  }

  return {
    link(at, message, refs) {
      const found = new Set<ThreadEntry>();
      if (message.now.thread !== '') found.add(entryOf(message.now.thread));
      for (const ref of refs) {
        const thread = threadOfRef.get(ref);
        if (thread === undefined) continue;
        const entry = entryOf(thread);
        if (!isForgotten(entry.now.emptySince, at.time)) found.add(entry);
        else threadOfRef.delete(ref);
      }
      const [winner = create(at, message), ...losers] = [...found].sort(bySize);
      for (const loser of losers) merge(at, winner, loser);
      for (const ref of refs) {
        if (threadOfRef.has(ref)) continue;
        threadOfRef.set(ref, winner.now.id);
        newRefs.set(ref, winner.now.id);
      }
      if (message.now.thread === '') message.now = { ...message.now, thread: winner.now.id };
    },

    count(at, { entry: message, was, is }) {
      const entry = entryOf(message.now.thread);
      const { now } = entry;
      const messages = now.messages + Number(isLive(is)) - Number(isLive(was));
      const unread = now.unread + Number(isUnread(is.copies)) - Number(was !== null && isUnread(was.copies));
      const left = was !== null && isLive(was) && (!isLive(is) || was.receivedAt !== is.receivedAt);
      if (left && (was.receivedAt === now.firstAt || was.receivedAt === now.lastAt)) entry.stale = true;
      const [firstAt, lastAt] = isLive(is)
        ? [earlier(now.firstAt, is.receivedAt), later(now.lastAt, is.receivedAt)]
        : [now.firstAt, now.lastAt];
      if (
        messages === now.messages &&
        unread === now.unread &&
        firstAt === now.firstAt &&
        lastAt === now.lastAt &&
        !left
      )
        return;
      const empty = messages === 0;
      entry.now = {
        ...now,
        version: at.sequence,
        messages,
        unread,
        firstAt: empty ? null : firstAt,
        lastAt: empty ? null : lastAt,
        emptySince: empty ? at.time : null,
      };
      if (empty) entry.stale = false;
    },

    resolve,
    entries: () => [...threads.values()].filter(({ now }) => !mergedInto.has(now.id)),
    merges: () =>
      [...mergedInto.keys()].flatMap((loser) => {
        const { thread, merged } = resolve(loser);
        return merged ? [{ loser, winner: thread, at: merged }] : [];
      }),
    newRefs: () => [...newRefs].map(([ref, thread]) => ({ ref, thread: entryOf(thread).now })),
  };
}

/** The larger wins, so that few messages change their thread; the id decides between equals, so that a replay decides the same. */
function bySize({ now: a }: ThreadEntry, { now: b }: ThreadEntry): number {
  return b.messages - a.messages || (a.id < b.id ? -1 : 1);
}

/** What is left of a subject without the marks of replies and forwards: a newest-first import sees the last reply first. */
function baseSubject(subject: string | null): string | null {
  return subject?.replace(/^(\s*(re|aw|fw|fwd|wg|sv|vs)(\[\d+\])?:)+\s*/i, '') ?? null;
}

function earlier(a: string | null, b: string | null): string | null {
  return a === null || (b !== null && b < a) ? b : a;
}

function later(a: string | null, b: string | null): string | null {
  return a === null || (b !== null && b > a) ? b : a;
}
