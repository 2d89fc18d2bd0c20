/** Change events as their readers see them: a union to narrow on `type`. */
import { CATALOG } from '../catalog.ts';
import type { Envelope } from '../envelope.ts';
import type { ChangeData, ChangeEntity, ChangeVerb, SkippedView } from './changes.ts';
import type { AccountView, MailboxView, MessageView, SyncRunView, ThreadView } from './views.ts';

interface States {
  message: MessageView;
  thread: ThreadView;
  mailbox: MailboxView;
  account: AccountView;
  sync: SyncRunView;
}

/** The change events of one entity that carry its state: all but `message.skipped`. */
export type ChangeEventOf<E extends ChangeEntity> = E extends ChangeEntity
  ? Envelope<ChangeData<States[E]>> & {
      readonly type: `mailstream.${E}.${Exclude<ChangeVerb<E>, 'skipped'>}.v1`;
    }
  : never;

/** The change events by their short name: `message.created`. */
export type ChangeName = { [E in ChangeEntity]: `${E}.${ChangeVerb<E>}` }[ChangeEntity];

/** The event of one short name (a union of them distributes). */
export type ChangeEventNamed<N extends ChangeName> = N extends 'message.skipped'
  ? SkippedEvent
  : N extends `${infer E extends ChangeEntity}.${string}`
    ? Envelope<ChangeData<States[E]>> & { readonly type: `mailstream.${N}.v1` }
    : never;

export type SkippedEvent = Envelope<ChangeData<SkippedView>> & {
  readonly type: 'mailstream.message.skipped.v1';
};

/** Any event on `CHANGES`; narrow on `type`. */
export type ChangeEvent = ChangeEventOf<ChangeEntity> | SkippedEvent;

const KNOWN: ReadonlySet<unknown> = new Set(
  CATALOG.filter((entry) => entry.stream === 'CHANGES').map((entry) => entry.type),
);

/**
 * Whether this is a change event of a type this version knows. Only the type is looked at: the projector alone writes them, checked, and
 * a field that a newer one adds must not stop an older reader.
 */
export function isChangeEvent(event: unknown): event is ChangeEvent {
  return typeof event === 'object' && event !== null && 'type' in event && KNOWN.has(event.type);
}
