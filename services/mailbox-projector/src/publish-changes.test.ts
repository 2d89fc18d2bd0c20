import { describe, expect, it } from 'vitest';
import { messageChanges } from './publish-changes.ts';
import { messageWith as message } from './testkit.ts';

const inA = { mailbox: 'A', generation: '1', id: '0000000001', flags: ['seen'], derived: false };
const inB = { ...inA, mailbox: 'B' };
const change = (before: ReturnType<typeof message> | null, now: ReturnType<typeof message>) =>
  messageChanges({ before, now, lastAlive: before, origin: 'live' }).map(({ verb, changed, from }) => ({
    verb,
    changed,
    from,
  }));

describe('the change of a message', () => {
  it('is one, and deleted comes before created, moved and updated', () => {
    expect(change(null, message([inA]))).toMatchObject([{ verb: 'created' }]);
    expect(change(message([inA]), message([]))).toMatchObject([{ verb: 'deleted' }]);
    expect(change(message([inA]), message([{ ...inB, flags: [] }]))).toEqual([
      { verb: 'moved', changed: ['flags', 'unread', 'copies'], from: ['A'] },
    ]);
    expect(change(message([inA]), message([{ ...inA, flags: ['flagged', 'seen'] }]))).toMatchObject([
      { verb: 'updated', changed: ['flags', 'copies'] },
    ]);
  });

  it('is none when nothing is different', () => {
    expect(change(message([inA]), message([inA]))).toEqual([]);
    expect(change(null, message([]))).toEqual([]);
    expect(change(message([]), message([]))).toEqual([]);
  });

  it('is none when only ids or generations are others', () => {
    expect(change(message([inA]), message([{ ...inA, id: '0000000009', generation: '2' }]))).toEqual([]);
    expect(change(message([inA]), message([inA, { ...inA, id: '0000000009', generation: '2' }]))).toEqual([]);
  });

  it('is told of a second copy in the same mailbox', () => {
    expect(change(message([inA]), message([inA, { ...inA, id: '0000000009' }]))).toMatchObject([
      { changed: ['copies'] },
    ]);
  });

  it('is a move from where it was when a deleted message comes back', () => {
    const deleted = { ...message([]), deletedAt: 1, wasIn: ['A'] };
    expect(change(deleted, message([inB]))).toMatchObject([{ verb: 'moved', from: ['A'] }]);
  });

  it('that came and went in one batch has a version for each, though one fact took both its copies', () => {
    const gone = { ...message([]), version: 5n, deletedAt: 1, wasIn: ['A'] };
    for (const [version, told] of [
      [5n, 4n],
      [2n, 2n],
    ] as const) {
      const lastAlive = { ...message([inA]), version };
      expect(messageChanges({ before: null, now: gone, lastAlive, origin: 'live' })).toMatchObject([
        { verb: 'created', version: told, state: { version: told } },
        { verb: 'deleted', version: 5n },
      ]);
    }
  });
});
