/** Messages and their copies: which message a copy belongs to, and what each fact does to it. Pure; loading and saving are elsewhere. */
import { isDeepStrictEqual } from 'node:util';
import type { Copy, MessageUpsert } from '@mailstream/contracts';
import { type At, isForgotten } from '../../at.ts';
import { derivedId } from '../../derived-id.ts';
import { getOrMake } from '../../get-or-make.ts';
import type { Description } from './identity.ts';
import { type CopyState, type MessageEntry, type MessageState, mailboxesOf, type Step } from './state.ts';

/** A hint that more messages share identifies none of them: test mails, robots, hostile senders. */
export const MAX_SAME_HINT = 16;

/** A copy that nothing is said about beyond its flags. */
type Placed = Pick<CopyState, 'mailbox' | 'generation' | 'id'>;

export interface MessageFold {
  readonly entries: Iterable<MessageEntry>;
  upsert(at: At, data: MessageUpsert, description: Description): Step[];
  /** `change` is given the flags as they are. */
  setFlags(at: At, copy: Copy, change: (flags: readonly string[]) => readonly string[]): Step[];
  remove(at: At, copy: Copy): Step[];
  /** Every copy of the message that has this one. */
  removeWhole(at: At, copy: Copy): Step[];
  /** The message with this key has exactly these copies, if it is known at all. */
  place(at: At, key: string, copies: readonly Copy[], flags: readonly string[]): Step[];
  /** The copies of a mailbox among those that were loaded or came in this batch. */
  copiesIn(account: string, mailbox: string): CopyState[];
}

/**
 * Folds facts into the messages given: all that the facts could touch must be among them. Each fact's outcome depends only on the facts
 * before it, never on where a batch begins or ends.
 */
export function foldMessages(loaded: readonly MessageState[]): MessageFold {
  const entries: MessageEntry[] = [];
  const byMailbox = new Map<string, Map<string, MessageEntry>>();
  const byKey = new Map<string, MessageEntry>();
  const byHint = new Map<string, MessageEntry[]>();

  for (const state of loaded) enter({ before: state, now: state, lastAlive: null, origin: null });

  function enter(entry: MessageEntry): void {
    entries.push(entry);
    const { account, key, hint, copies } = entry.now;
    for (const copy of copies) place(account, copy, entry);
    if (key !== null) enterKey(account, key, entry);
    if (hint !== null) getOrMake(byHint, hint, () => []).push(entry);
  }

  /** A deleted message and its successor may bear the same key for a while: the newer counts. */
  function enterKey(account: string, key: string, entry: MessageEntry): void {
    const other = byKey.get(name(account, key));
    if (!other || isNewer(entry, other)) byKey.set(name(account, key), entry);
  }

  function place(account: string, copy: Placed, entry: MessageEntry): void {
    getOrMake(byMailbox, name(account, copy.mailbox), () => new Map()).set(slot(copy), entry);
  }

  function unplace(account: string, copy: Placed): void {
    byMailbox.get(name(account, copy.mailbox))?.delete(slot(copy));
  }

  function at(account: string, copy: Placed): MessageEntry | undefined {
    return byMailbox.get(name(account, copy.mailbox))?.get(slot(copy));
  }

  function step(where: At, entry: MessageEntry, changes: Partial<MessageState>): Step {
    const was = entry.now;
    entry.now = { ...was, ...changes, version: where.sequence };
    entry.origin = where.origin;
    return { entry, was, is: entry.now };
  }

  function without(where: At, entry: MessageEntry, copy: Placed): Step {
    unplace(where.account, copy);
    return withCopies(
      where,
      entry,
      entry.now.copies.filter((other) => !isSame(other, copy)),
    );
  }

  function withCopies(where: At, entry: MessageEntry, copies: readonly CopyState[]): Step {
    if (copies.length > 0) return step(where, entry, { copies });
    entry.lastAlive = entry.now;
    return step(where, entry, { copies, deletedAt: where.time, wasIn: mailboxesOf(entry.now.copies) });
  }

  function withCopy(where: At, entry: MessageEntry, copy: CopyState): readonly CopyState[] {
    place(where.account, copy, entry);
    return [...entry.now.copies.filter((other) => !isSame(other, copy)), copy].sort(inOrder);
  }

  /**
   * A copy nobody knew may be a known message that was moved or copied: one with the same hint, not yet in this mailbox (two mails that
   * look the same stay two), and not gone for long. The newest, if several could be it.
   */
  function findMoved(where: At, copy: Copy, hint: string | null): MessageEntry | undefined {
    if (hint === null) return undefined;
    const same = (byHint.get(hint) ?? []).filter(({ now }) => !isForgotten(now.deletedAt, where.time));
    if (same.length > MAX_SAME_HINT) return undefined;
    return same
      .filter(
        ({ now }) => !now.copies.some((c) => c.mailbox === copy.mailbox && c.generation === copy.generation),
      )
      .reduce<MessageEntry | undefined>((a, b) => (a && isNewer(a, b) ? a : b), undefined);
  }

  function findByKey(where: At, key: string): MessageEntry | undefined {
    const entry = byKey.get(name(where.account, key));
    return entry && !isForgotten(entry.now.deletedAt, where.time) ? entry : undefined;
  }

  function create(where: At, data: MessageUpsert, description: Description, copy: CopyState): Step {
    const entry: MessageEntry = {
      before: null,
      lastAlive: null,
      origin: where.origin,
      now: {
        id: derivedId(where.time, where.account, where.event),
        tenant: where.tenant,
        account: where.account,
        version: where.sequence,
        thread: '',
        key: data.keyKind === 'message' ? data.key : null,
        hint: description.hint,
        receivedAt: description.receivedAt,
        content: description.content,
        copies: [copy],
        deletedAt: null,
        wasIn: [],
      },
    };
    enter(entry);
    return { entry, was: null, is: entry.now };
  }

  return {
    entries,

    upsert(where, data, description) {
      const steps: Step[] = [];
      const key = data.keyKind === 'message' ? data.key : null;
      const resident = at(where.account, data.copy);
      let entry = resident;
      if (key !== null) {
        entry = findByKey(where, key) ?? (resident?.now.key === null ? resident : undefined);
        if (resident && resident !== entry) steps.push(without(where, resident, data.copy));
      }
      entry ??= findMoved(where, data.copy, description.hint);
      const known = entry?.now.copies.find((copy) => isSame(copy, data.copy));
      const derived = known?.derived ?? (entry !== undefined && key === null);
      const copy: CopyState = { ...data.copy, flags: data.flags, derived };
      if (!entry) return [...steps, create(where, data, description, copy)];

      const { now } = entry;
      const changes: { -readonly [F in keyof MessageState]?: MessageState[F] } = {};
      if (!known || !isDeepStrictEqual(known.flags, data.flags))
        Object.assign(changes, { copies: withCopy(where, entry, copy), deletedAt: null, wasIn: [] });
      if (key !== null && now.key === null) {
        changes.key = key;
        byKey.set(name(where.account, key), entry);
      }
      if (now.receivedAt !== description.receivedAt) changes.receivedAt = description.receivedAt;
      if (!isDeepStrictEqual(now.content, description.content)) changes.content = description.content;
      if (Object.keys(changes).length > 0) steps.push(step(where, entry, changes));
      return steps;
    },

    setFlags(where, copy, change) {
      const entry = at(where.account, copy);
      const known = entry?.now.copies.find((other) => isSame(other, copy));
      if (!entry || !known) return [];
      const flags = change(known.flags);
      if (isDeepStrictEqual(known.flags, flags)) return [];
      return [step(where, entry, { copies: withCopy(where, entry, { ...known, flags }) })];
    },

    remove(where, copy) {
      const entry = at(where.account, copy);
      return entry ? [without(where, entry, copy)] : [];
    },

    removeWhole(where, copy) {
      const entry = at(where.account, copy);
      if (!entry) return [];
      for (const each of entry.now.copies) unplace(where.account, each);
      return [withCopies(where, entry, [])];
    },

    place(where, key, wanted, flags) {
      const entry = findByKey(where, key);
      if (!entry || entry.now.copies.length === 0) return [];
      const residents = wanted.flatMap((copy) => {
        const resident = at(where.account, copy);
        return resident && resident !== entry ? [without(where, resident, copy)] : [];
      });
      const copies = wanted.map((copy) => ({ ...copy, flags, derived: false })).sort(inOrder);
      if (isDeepStrictEqual(entry.now.copies, copies)) return residents;
      for (const copy of entry.now.copies) unplace(where.account, copy);
      for (const copy of copies) place(where.account, copy, entry);
      return [...residents, withCopies(where, entry, copies)];
    },

    copiesIn(account, mailbox) {
      const residents = byMailbox.get(name(account, mailbox))?.values() ?? [];
      return [...new Set(residents)].flatMap(({ now }) =>
        now.copies.filter((copy) => copy.mailbox === mailbox),
      );
    },
  };
}

/** The id decides between two that one fact changed, so that a replay decides the same. */
function isNewer({ now: a }: MessageEntry, { now: b }: MessageEntry): boolean {
  return a.version > b.version || (a.version === b.version && a.id > b.id);
}

function isSame(a: Placed, b: Placed): boolean {
  return a.id === b.id && a.mailbox === b.mailbox && a.generation === b.generation;
}

function inOrder(a: CopyState, b: CopyState): number {
  return compare(a.mailbox, b.mailbox) || compare(a.generation, b.generation) || compare(a.id, b.id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function name(account: string, rest: string): string {
  return `${account}\u0000${rest}`;
}

function slot(copy: Placed): string {
  return `${copy.generation}\u0000${copy.id}`;
}
