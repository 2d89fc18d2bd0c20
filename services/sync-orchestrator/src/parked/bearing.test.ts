// What was stored since a fact was parked decides whether that may be folded behind it.
import { EVENT_TYPES, envelope, type FactEvent } from '@mailstream/contracts';
import { expect, it } from 'vitest';
import { bearingOf } from './bearing.ts';

function fact(type: string, data: object): FactEvent {
  const draft = { id: '1', source: '/test', time: '2026-01-01T00:00:00Z', tenant: 'default', account: 'a' };
  return envelope({ ...draft, type, data }) as FactEvent;
}

const copy = { mailbox: 'A', generation: '1', id: '0000000001' };
const origin = 'live';
const message = (data: object) => fact(EVENT_TYPES.messageChanged, { copy, origin, ...data });
const upsert = message({ op: 'upsert', key: 'k', keyKind: 'copy', flags: [], content: {} });
const gmail = message({
  op: 'upsert',
  key: 'k',
  keyKind: 'message',
  flags: [],
  content: {},
  mailboxes: ['A'],
});
const patch = message({ op: 'patch', flags: ['seen'] });
const added = message({ op: 'patch', added: ['seen'] });
const removed = message({ op: 'removed' });
const elsewhere = message({ op: 'removed', copy: { ...copy, id: '0000000002' } });
const placed = (mailboxes: string[]) =>
  fact(EVENT_TYPES.messageChanged, { op: 'placed', key: 'k', generation: '1', mailboxes, flags: [], origin });
const listed = fact(EVENT_TYPES.mailboxListed, { mailbox: 'A', generation: '1', sweep: false, origin });
const gone = (mailbox: string) => fact(EVENT_TYPES.mailboxChanged, { op: 'removed', mailbox, origin });
const failed = fact(EVENT_TYPES.syncFailed, {});

it.each([
  ['a message, by a later one of it', upsert, upsert, 'replaces'],
  ['a message, by its removal', upsert, removed, 'replaces'],
  ['a message, by the removal of another', upsert, elsewhere, 'none'],
  ['a message, in part by its flags', upsert, patch, 'touches'],
  ['flags, by all flags', patch, patch, 'replaces'],
  ['flags, in part by one that was added', patch, added, 'touches'],
  ['a labelled message, in part by its labels', gmail, placed(['A', 'B']), 'touches'],
  ['a labelled message, by its deletion', gmail, placed([]), 'replaces'],
  ['a message, by a comparison of its mailbox', upsert, listed, 'replaces'],
  ['a message, by the end of its mailbox', upsert, gone('A'), 'replaces'],
  ['a message, by the end of another mailbox', upsert, gone('B'), 'none'],
  ['a mailbox, by a later word of it', gone('A'), gone('A'), 'replaces'],
  ['a list, by whatever came later', listed, elsewhere, 'touches'],
  ['a failure, by whatever came later', failed, upsert, 'touches'],
] as const)('%s', (_name, earlier, later, bearing) => {
  expect(bearingOf(earlier, later)).toBe(bearing);
});
