// Which facts of an account are about one message, whichever way its provider names it.
import { describe, expect, it } from 'vitest';
import { derivedId } from '../derived-id.ts';
import { describe as describeMessage } from '../projections/messages/identity.ts';
import { at, createLog, flagged, gone, listed, mailboxGone, placed, type Said, seen } from '../testkit.ts';
import { createTrace } from './trace.ts';

/** The steps of the message that the first fact made, as `said by how: where it is then`. */
function traceOf(said: readonly Said[], known: 'key' | 'hint'): string[] {
  const facts = said.flatMap((one) => createdIn.page('s', [one]).facts);
  const [first] = facts;
  if (first?.event.type !== 'mailstream.message.changed.v1' || first.event.data.op !== 'upsert')
    throw new Error('begin with an upsert');
  const { key } = first.event.data;
  const { hint } = describeMessage('acc', first.event.data);
  const id = derivedId(first.time.getTime(), 'acc', first.event.id);
  const trace = createTrace(
    { id, account: 'acc', key: known === 'key' ? key : null, hint: known === 'hint' ? hint : null },
    [],
  );
  return facts.flatMap((fact) => {
    const step = trace.step(fact);
    return step ? [`${step.did} by ${step.by}: ${step.mailboxes.join('+')}`] : [];
  });
}
const createdIn = createLog();

describe('a message whose copies have names of their own', () => {
  it('is followed through flags, a move and its removal', () => {
    const steps = traceOf(
      [
        seen(at('A', 1)),
        seen(at('A', 2), { messageId: 'another' }),
        flagged(at('A', 1), ['seen']),
        flagged(at('A', 2), ['seen']),
        seen(at('B', 9)),
        gone(at('A', 1)),
        flagged(at('A', 1), []),
        mailboxGone('C'),
        mailboxGone('B'),
      ],
      'hint',
    );
    expect(steps).toEqual([
      'seen by origin: A',
      'flags by copy: A',
      'seen by content: A+B',
      'removed by copy: B',
      'removed by mailbox: ',
    ]);
  });

  it('is in a list only where the list says something new of it', () => {
    const steps = traceOf(
      [
        seen(at('A', 1), {}, { flags: ['seen'] }),
        listed('A', [{ uids: '1:3', flags: ['seen'] }]),
        listed('A', [{ uids: '1:3', flags: ['flagged'] }]),
        listed('B', []),
        listed('A', [{ uids: '2:3', flags: null }]),
      ],
      'hint',
    );
    expect(steps).toEqual(['seen by origin: A', 'flags by copy: A', 'removed by copy: ']);
  });

  it('ends with its generation', () => {
    const steps = traceOf([seen(at('A', 1)), listed('A', [], { generation: '2', sweep: true })], 'hint');
    expect(steps).toEqual(['seen by origin: A', 'removed by copy: ']);
  });
});

it('a message with labels is followed by its key', () => {
  const one = { key: 'k', keyKind: 'message' as const, mailboxes: ['A'] };
  const copy = { mailbox: 'A', generation: '1', id: 'k' };
  const steps = traceOf(
    [
      seen(copy, {}, one),
      placed('other', ['A']),
      placed('k', ['A', 'B'], ['seen']),
      placed('k', ['B']),
      placed('k', []),
    ],
    'key',
  );
  expect(steps).toEqual(['seen by origin: A', 'placed by key: A+B', 'placed by key: B', 'removed by key: ']);
});
