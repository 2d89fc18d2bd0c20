/** A change event as one line for people. */
import type { ChangeEvent, MailboxView, MessageView } from '@mailstream/contracts';
import { flagsOf, mailboxesOf } from './commands/messages.ts';
import { clockTime, printable } from './format.ts';
import type { Paths } from './mailbox-names.ts';

/** Whether it only follows from other changes: shown on demand. */
export function isAside(event: ChangeEvent): boolean {
  switch (event.type) {
    case 'mailstream.mailbox.updated.v1':
      return !event.data.changed.includes('path');
    case 'mailstream.thread.updated.v1':
    case 'mailstream.sync.completed.v1':
      return true;
    default:
      return false;
  }
}

/** `14:05:09  created  INBOX  Lunch?  [unread]`; `paths` names the mailboxes a message moved from. */
export function changeLine(event: ChangeEvent, paths: Paths): string {
  const [verb, where, what] = describe(event, paths);
  return `${clockTime(event.time)}  ${verb.padEnd(8)}  ${where}  ${what}`.trimEnd();
}

type Description = readonly [verb: string, where: string, what: string];

function describe(event: ChangeEvent, paths: Paths): Description {
  switch (event.type) {
    case 'mailstream.message.created.v1':
      return ['created', mailboxesOf(event.data.state), content(event.data.state)];
    case 'mailstream.message.updated.v1':
      return [
        'updated',
        mailboxesOf(event.data.state),
        `${content(event.data.state)}${changed(event.data.changed)}`,
      ];
    case 'mailstream.message.moved.v1': {
      const from = (event.data.from ?? []).map((key) => printable(paths.get(key) ?? key)).join(', ');
      return ['moved', `${from || '?'} → ${mailboxesOf(event.data.state)}`, content(event.data.state)];
    }
    case 'mailstream.message.deleted.v1':
      return ['deleted', mailboxesOf(event.data.state), content(event.data.state)];
    case 'mailstream.message.skipped.v1':
      return ['skipped', event.data.state.subject, printable(event.data.state.reason)];
    case 'mailstream.thread.updated.v1':
      return [
        'thread',
        printable(event.data.state.subject ?? '(no subject)'),
        `${event.data.state.messages} messages, ${event.data.state.unread} unread`,
      ];
    case 'mailstream.mailbox.created.v1':
      return ['mailbox', printable(event.data.state.path), 'created'];
    case 'mailstream.mailbox.updated.v1':
      return [
        'mailbox',
        printable(event.data.state.path),
        `${counts(event.data.state)}${changed(event.data.changed)}`,
      ];
    case 'mailstream.mailbox.deleted.v1':
      return ['mailbox', printable(event.data.state.path), 'deleted'];
    case 'mailstream.account.added.v1':
    case 'mailstream.account.updated.v1':
    case 'mailstream.account.paused.v1':
    case 'mailstream.account.resumed.v1':
    case 'mailstream.account.removed.v1':
    case 'mailstream.account.erased.v1': {
      // What is told of its end is without its name.
      const { id, name, state, reason } = event.data.state;
      return ['account', printable(name || id), reason === null ? state : `${state}: ${printable(reason)}`];
    }
    case 'mailstream.sync.completed.v1': {
      const { scope, inserted, updated, deleted } = event.data.state;
      return ['sync', scope, `+${inserted} ~${updated} -${deleted}`];
    }
    case 'mailstream.sync.failed.v1': {
      const { scope, message, code } = event.data.state;
      return [
        'sync',
        scope,
        `failed: ${printable(message ?? 'no reason was given')}${code === null ? '' : ` (${code})`}`,
      ];
    }
    default:
      return event satisfies never;
  }
}

function content({ subject, flags }: MessageView): string {
  const said = flagsOf(flags);
  return `${printable(subject ?? '(no subject)')}${said === '' ? '' : `  [${said}]`}`;
}

function changed(fields: readonly string[]): string {
  return fields.length === 0 ? '' : `  (${fields.join(', ')})`;
}

function counts({ messages, unread }: MailboxView): string {
  return `${messages} messages, ${unread} unread`;
}
