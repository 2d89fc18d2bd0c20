/** Mailboxes: what the provider says of them, how many messages the view has in them, and what it lacks. Pure. */

import { isDeepStrictEqual } from 'node:util';
import type { MailboxUpsert, MailboxView } from '@mailstream/contracts';
import type { At, Outcome } from '../../at.ts';
import { isUnread, type MessageState, type Step } from '../messages/state.ts';

/** A mailbox as a row; `listed: false` while only its messages were heard of. */
export interface MailboxState extends Omit<MailboxView, 'id' | 'version'> {
  readonly mailbox: string;
  readonly tenant: string;
  readonly version: bigint;
  readonly listed: boolean;
  readonly drift: number;
}

export interface MailboxEntry {
  readonly before: MailboxState | null;
  /** Null once it is gone. */
  now: MailboxState | null;
  /** The fact that last changed it. */
  at: At | null;
}

export interface MailboxFold {
  readonly entries: Iterable<MailboxEntry>;
  upsert(at: At, data: MailboxUpsert): Outcome | null;
  /** Its copies must have been removed before. */
  remove(at: At, mailbox: string): Outcome | null;
  count(at: At, step: Step): void;
  setDrift(at: At, mailbox: string, drift: number): void;
  /** As it is now, or was before it went. */
  find(account: string, mailbox: string): MailboxState | null;
}

export function foldMailboxes(loaded: readonly MailboxState[]): MailboxFold {
  const entries = new Map<string, MailboxEntry>();
  for (const state of loaded)
    entries.set(name(state.account, state.mailbox), { before: state, now: state, at: null });

  function change(at: At, mailbox: string, changes: Partial<MailboxState>): void {
    const entry = entries.get(name(at.account, mailbox)) ?? { before: null, now: null, at: null };
    entries.set(name(at.account, mailbox), entry);
    entry.now = { ...(entry.now ?? unlisted(at, mailbox)), ...changes, version: at.sequence };
    entry.at = at;
  }

  return {
    entries: { [Symbol.iterator]: () => entries.values() },

    upsert(at, data) {
      const { path, name, parent, role, selectable, messages: reported } = data;
      const said = { listed: true, path, name, parent, role, selectable, reported };
      const now = entries.get(keyOf(at, data.mailbox))?.now;
      if (now && isDeepStrictEqual(now, { ...now, ...said })) return null;
      change(at, data.mailbox, said);
      return now?.listed ? 'updated' : 'inserted';
    },

    remove(at, mailbox) {
      const entry = entries.get(keyOf(at, mailbox));
      if (!entry?.now) return null;
      const { listed } = entry.now;
      entry.now = null;
      entry.at = at;
      return listed ? 'deleted' : null;
    },

    count(at, { was, is }) {
      const deltas = new Map<string, { messages: number; unread: number }>();
      tally(deltas, was, -1);
      tally(deltas, is, 1);
      for (const [mailbox, delta] of deltas) {
        if (delta.messages === 0 && delta.unread === 0) continue;
        const now = entries.get(keyOf(at, mailbox))?.now;
        change(at, mailbox, {
          messages: (now?.messages ?? 0) + delta.messages,
          unread: (now?.unread ?? 0) + delta.unread,
        });
      }
    },

    setDrift(at, mailbox, drift) {
      if ((entries.get(keyOf(at, mailbox))?.now?.drift ?? 0) !== drift) change(at, mailbox, { drift });
    },

    find(account, mailbox) {
      const entry = entries.get(name(account, mailbox));
      return entry?.now ?? entry?.before ?? null;
    },
  };
}

/** A message counts once per mailbox, however many copies of it are there; it is unread there while one of those is. */
function tally(
  deltas: Map<string, { messages: number; unread: number }>,
  state: MessageState | null,
  sign: 1 | -1,
): void {
  const copies = state?.copies ?? [];
  const [only] = copies;
  const groups =
    copies.length === 1 && only ? [[only.mailbox, copies] as const] : Map.groupBy(copies, (c) => c.mailbox);
  for (const [mailbox, group] of groups) {
    const delta = deltas.get(mailbox) ?? { messages: 0, unread: 0 };
    delta.messages += sign;
    if (isUnread(group)) delta.unread += sign;
    deltas.set(mailbox, delta);
  }
}

function unlisted(at: At, mailbox: string): MailboxState {
  return {
    account: at.account,
    mailbox,
    tenant: at.tenant,
    version: at.sequence,
    listed: false,
    path: mailbox,
    name: mailbox,
    parent: null,
    role: null,
    selectable: true,
    reported: null,
    messages: 0,
    unread: 0,
    drift: 0,
  };
}

function keyOf(at: At, mailbox: string): string {
  return name(at.account, mailbox);
}

function name(account: string, mailbox: string): string {
  return `${account}\u0000${mailbox}`;
}
