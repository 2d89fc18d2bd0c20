/** What the world is told: the net difference that a batch made to each thing, one event each, in the order of the log. */
import { isDeepStrictEqual } from 'node:util';
import {
  type ChangeData,
  type ChangeEntity,
  type ChangeVerb,
  type CopyView,
  type CursorSeeded,
  EVENT_TYPES,
  type MessageView,
} from '@mailstream/contracts';
import type { Emission, Skipped } from '@mailstream/fold';
import type { At } from './at.ts';
import { getOrMake } from './get-or-make.ts';
import { type AccountNews, type AccountState, accountView } from './projections/accounts/projection.ts';
import type { RunNews } from './projections/cursors/projection.ts';
import type { MailboxEntry, MailboxFold } from './projections/mailboxes/projection.ts';
import { mailboxView } from './projections/mailboxes/queries.ts';
import {
  type Content,
  type CopyState,
  flagsOf,
  isLive,
  isUnread,
  type MessageEntry,
  type MessageState,
  mailboxesOf,
  messageView,
} from './projections/messages/state.ts';
import type { ThreadEntry } from './projections/threads/projection.ts';
import { threadView } from './projections/threads/queries.ts';

/** A change of a message, before it is put into an event. */
export interface MessageChange {
  readonly verb: ChangeVerb<'message'>;
  readonly changed: readonly string[];
  readonly from?: readonly string[];
  readonly version: bigint;
  /** The message as it is now; for `deleted`, as it was last. */
  readonly state: MessageState;
}

/**
 * What happened to a message between the beginning and the end of a batch: one change, or none. Deleted comes before created, moved and
 * updated. Another id or generation alone is no change: a mailbox that forgot its ids would otherwise tell of every message.
 *
 * Only a message that came and went is told of twice: should it turn up elsewhere, that is a move of something the world has heard of.
 */
export function messageChanges({ before, now, lastAlive }: MessageEntry): MessageChange[] {
  if (!isLive(now)) {
    if (lastAlive === null || (before !== null && !isLive(before))) return [];
    const deleted: MessageChange = { verb: 'deleted', changed: [], version: now.version, state: lastAlive };
    if (before) return [deleted];
    // A fact that takes several copies has changed the message before it deletes it: its version is the deletion's.
    const version = lastAlive.version < now.version ? lastAlive.version : now.version - 1n;
    return [{ ...deleted, verb: 'created', version, state: { ...lastAlive, version } }, deleted];
  }
  const same = { version: now.version, state: now };
  if (before === null) return [{ verb: 'created', changed: [], ...same }];
  const changed = changedFields(before, now);
  const from = isLive(before) ? mailboxesOf(before.copies) : before.wasIn;
  if (!isLive(before) || !isSameSet(from, mailboxesOf(now.copies)))
    return [{ verb: 'moved', changed, from, ...same }];
  return changed.length > 0 ? [{ verb: 'updated', changed, ...same }] : [];
}

function changedFields(before: MessageState, now: MessageState): string[] {
  const changed: string[] = [];
  if (before.thread !== now.thread) changed.push('thread');
  if (before.receivedAt !== now.receivedAt) changed.push('receivedAt');
  if (before.content && now.content && before.content !== now.content) {
    const old = new Map<string, unknown>(Object.entries(before.content));
    for (const [field, value] of Object.entries(now.content))
      if (!isDeepStrictEqual(old.get(field), value)) changed.push(field);
  }
  if (!isDeepStrictEqual(flagsOf(before.copies), flagsOf(now.copies))) changed.push('flags');
  if (isUnread(before.copies) !== isUnread(now.copies)) changed.push('unread');
  if (!isDeepStrictEqual(placesOf(before.copies), placesOf(now.copies))) changed.push('copies');
  return changed;
}

/** Where the copies are and with which flags, each generation of a mailbox standing for all of them. */
function placesOf(copies: readonly CopyState[]): string[] {
  const counts = new Map<string, Map<string, number>>();
  for (const { mailbox, generation, flags } of copies) {
    const generations = getOrMake(counts, JSON.stringify([mailbox, flags]), () => new Map<string, number>());
    generations.set(generation, (generations.get(generation) ?? 0) + 1);
  }
  return [...counts].map(([place, generations]) => `${place} ${Math.max(...generations.values())}`).sort();
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return isDeepStrictEqual([...new Set(a)].sort(), [...new Set(b)].sort());
}

/** `content` is that of the message where memory has none. */
export function messageEmission(
  { now, origin }: MessageEntry,
  { verb, changed, from, version, state }: MessageChange,
  content: Content,
  mailboxes: Pick<MailboxFold, 'find'>,
): Emission {
  const { id, account, thread, receivedAt } = state;
  const view = messageView(
    { id, account, version: String(state.version), thread, receivedAt },
    content,
    state.copies.map((copy) => copyView(account, copy, mailboxes)),
  );
  const data = { version: String(version), origin, changed, ...(from ? { from } : {}), state: view };
  return emission(now, 'message', verb, version, data);
}

function copyView(account: string, copy: CopyState, mailboxes: Pick<MailboxFold, 'find'>): CopyView {
  const { mailbox, generation, id, flags } = copy;
  const known = mailboxes.find(account, mailbox);
  return {
    mailbox,
    path: known?.path ?? mailbox,
    role: known?.role ?? null,
    generation,
    id,
    flags: [...flags],
  };
}

/** A message that only came to another thread, because two were merged. */
export function rethreadedEmission(tenant: string, view: MessageView): Emission {
  const data: ChangeData<MessageView> = {
    version: view.version,
    origin: null,
    changed: ['thread'],
    state: view,
  };
  return emission({ tenant, account: view.account }, 'message', 'updated', BigInt(view.version), data);
}

/** A thread is told of when it is another than before; a new one came with its message. */
export function threadEmissions({ before, now }: ThreadEntry): Emission[] {
  if (before === null || before === now || now.messages === 0) return [];
  const state = threadView(now);
  const changed = differences(threadView(before), state);
  if (changed.length === 0) return [];
  return [
    emission(now, 'thread', 'updated', now.version, { version: state.version, origin: null, changed, state }),
  ];
}

/** Counts alone are not told: every message's change implies them. */
export function mailboxEmissions({ before, now, at }: MailboxEntry): Emission[] {
  const was = before?.listed ? mailboxView(before) : null;
  const is = now?.listed ? mailboxView(now) : null;
  if (at === null || (was === null && is === null)) return [];
  const tell = (verb: ChangeVerb<'mailbox'>, changed: readonly string[]) => [
    emission(at, 'mailbox', verb, at.sequence, {
      version: String(at.sequence),
      origin: at.origin,
      changed,
      state: is ?? was,
    }),
  ];
  if (is === null) return tell('deleted', []);
  if (was === null) return tell('created', []);
  const changed = differences(was, is);
  return changed.some((field) => field !== 'messages' && field !== 'unread') ? tell('updated', changed) : [];
}

/** What happened to accounts, in order; `before` is how they stood then. */
export function accountEmissions(news: readonly AccountNews[], before: readonly AccountState[]): Emission[] {
  const known = new Map(before.map((account) => [account.account, account]));
  return news.map(({ at, verb, state: now }) => {
    const was = known.get(at.account);
    known.set(at.account, now);
    const state = accountView(now);
    const changed = was ? differences(accountView(was), state) : [];
    const data = { version: String(at.sequence), origin: null, changed, state };
    return emission(at, 'account', verb, at.sequence, data);
  });
}

export function runEmission({ at, verb, view }: RunNews): Emission {
  const data = { version: String(at.sequence), origin: at.origin, changed: [], state: view };
  return emission(at, 'sync', verb, at.sequence, data);
}

/** The only thing the projector says into the log: see `CursorFold.restart`. */
export function seedEmission({ at, data }: { readonly at: At; readonly data: CursorSeeded }): Emission {
  const { tenant, account } = at;
  return { to: 'mail', tenant, account, fact: `cursor.${data.scope}`, type: EVENT_TYPES.cursorSeeded, data };
}

export function skippedEmission({ sequence, subject, reason, ...at }: Skipped): Emission {
  const state = { sequence: String(sequence), subject, reason };
  const data = { version: String(sequence), origin: null, changed: [], state };
  return emission(at, 'message', 'skipped', sequence, data);
}

function differences<T extends object>(before: T, now: T): string[] {
  const old = new Map<string, unknown>(Object.entries(before));
  return Object.entries(now).flatMap(([field, value]) =>
    field === 'version' || old.get(field) === value ? [] : [field],
  );
}

function emission<E extends ChangeEntity>(
  { tenant, account }: Pick<At, 'tenant' | 'account'>,
  entity: E,
  verb: ChangeVerb<E>,
  sequence: bigint,
  data: ChangeData,
): Emission {
  return { to: 'changes', tenant, account, entity, verb, data, sequence };
}
