import { describe, expect, it } from 'vitest';
import { messageChange } from './publish-changes.ts';
import { messageWith as message } from './testkit.ts';

const inA = { mailbox: 'A', generation: '1', uid: 1, flags: ['seen'], derived: false };
const inB = { ...inA, mailbox: 'B' };
const change = (before: ReturnType<typeof message> | null, now: ReturnType<typeof message>) =>
  messageChange({ before, now, origin: 'live' });

describe('the change of a message', () => {
  it('is one, and deleted comes before created, moved and updated', () => {
    expect(change(null, message([inA]))?.verb).toBe('created');
    expect(change(message([inA]), message([]))?.verb).toBe('deleted');
    expect(change(message([inA]), message([{ ...inB, flags: [] }]))).toEqual({
      verb: 'moved',
      changed: ['flags', 'unread', 'copies'],
      from: ['A'],
    });
    expect(change(message([inA]), message([{ ...inA, flags: ['flagged', 'seen'] }]))).toEqual({
      verb: 'updated',
      changed: ['flags', 'copies'],
    });
  });

  it('is none when nothing is different, or came and went', () => {
    expect(change(message([inA]), message([inA]))).toBeNull();
    expect(change(null, message([]))).toBeNull();
    expect(change(message([]), message([]))).toBeNull();
  });

  it('is none when only uids or generations are others', () => {
    expect(change(message([inA]), message([{ ...inA, uid: 9, generation: '2' }]))).toBeNull();
    expect(change(message([inA]), message([inA, { ...inA, uid: 9, generation: '2' }]))).toBeNull();
  });

  it('is a move from where it was when a deleted message comes back', () => {
    const deleted = { ...message([]), deletedAt: 1, wasIn: ['A'] };
    expect(change(deleted, message([inB]))).toMatchObject({ verb: 'moved', from: ['A'] });
  });
});
