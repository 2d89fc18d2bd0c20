/** What the projector tells the world, after it has committed: one event per change, each with the full current state. */
import { type Static, type TSchema, Type } from 'typebox';
import { Digits, nullable, Origin } from '../facts/common.ts';
import { AccountView, MailboxView, MessageView, SyncRunView, ThreadView } from './views.ts';

/** The entities that change and what can happen to each; also the last two tokens of a change's subject. */
export const CHANGE_VERBS = {
  message: ['created', 'updated', 'moved', 'deleted', 'skipped'],
  thread: ['updated'],
  mailbox: ['created', 'updated', 'deleted'],
  account: ['added', 'updated', 'paused', 'resumed', 'removed', 'erased'],
  sync: ['completed', 'failed'],
} as const;
export type ChangeEntity = keyof typeof CHANGE_VERBS;
export type ChangeVerb<E extends ChangeEntity> = (typeof CHANGE_VERBS)[E][number];

/** A fact that could not be used was parked, and the message it spoke of may be stale. */
export const SkippedView = Type.Object({
  sequence: Digits,
  subject: Type.String(),
  reason: Type.String(),
});
export type SkippedView = Static<typeof SkippedView>;

export const VIEWS = {
  message: MessageView,
  thread: ThreadView,
  mailbox: MailboxView,
  account: AccountView,
  sync: SyncRunView,
} as const satisfies Record<ChangeEntity, TSchema>;

/** The data of a change event. For a `deleted` entity, `state` is what it was last. */
export interface ChangeData<S = unknown> {
  /** Grows with every change: the sequence in the MAIL log of the fact behind it, as digits, as long as no log was lost. */
  readonly version: string;
  /** Null for what was not observed at a provider: accounts, threads, failures. */
  readonly origin: Origin | null;
  /** Names of the fields of `state` that differ from before; empty for created and deleted. */
  readonly changed: readonly string[];
  /** For `message.moved`: the mailboxes before. */
  readonly from?: readonly string[];
  readonly state: S;
}

/** The JSON Schema of `ChangeData` for one kind of state. */
export function changeDataSchema<S extends TSchema>(state: S) {
  return Type.Object({
    version: Digits,
    origin: nullable(Origin),
    changed: Type.Array(Type.String()),
    from: Type.Optional(
      Type.Array(Type.String(), { description: 'For `message.moved`: keys of the mailboxes it was in.' }),
    ),
    state,
  });
}
