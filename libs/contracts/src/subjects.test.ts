import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isToken, partitionOf } from './ids.ts';
import { STREAMS } from './streams.ts';
import {
  HINT_REASONS,
  LANES,
  parseFactSubject,
  parseSubscriptionSubject,
  parseSyncSubject,
  SUBSCRIPTION_EVENTS,
  subjects,
} from './subjects.ts';

const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const at = fc.record({ tenant: token, account: token });

/** Whether a subject matches one of a stream's, by the rules of NATS wildcards. */
function isStoredIn(stream: { readonly subjects: readonly string[] }, subject: string): boolean {
  return stream.subjects.some((pattern) => {
    const wanted = pattern.split('.');
    const given = subject.split('.');
    if (wanted.at(-1) === '>')
      return given.length >= wanted.length && given[0] === wanted[0] && wanted.length <= 3;
    return wanted.length === given.length && wanted.every((part, i) => part === '*' || part === given[i]);
  });
}

describe('subjects', () => {
  it('of hints and reports come back as what they were made of', () => {
    fc.assert(
      fc.property(at, fc.constantFrom(...HINT_REASONS), token, (ref, reason, scope) => {
        expect(parseSyncSubject(subjects.hint(ref, reason))).toEqual({ kind: 'hint', ...ref, reason });
        expect(parseSyncSubject(subjects.fetched(ref, scope))).toEqual({ kind: 'fetched', ...ref, scope });
      }),
    );
  });

  it('about subscriptions come back as what they were made of', () => {
    fc.assert(
      fc.property(at, fc.constantFrom(...SUBSCRIPTION_EVENTS), (ref, event) => {
        expect(parseSubscriptionSubject(subjects.subscription(ref, event))).toEqual({ ...ref, event });
      }),
    );
  });

  it('of facts come back as what they were made of', () => {
    fc.assert(
      fc.property(at, token, (ref, scope) => {
        const partition = partitionOf(ref.account);
        expect(parseFactSubject(subjects.fact(ref, 'message.changed'))).toEqual({
          ...ref,
          partition,
          fact: 'message.changed',
        });
        expect(parseFactSubject(subjects.cursor(ref, scope))).toEqual({
          ...ref,
          partition,
          fact: `cursor.${scope}`,
        });
      }),
    );
  });

  it('all belong to the stream that is to store them', () => {
    fc.assert(
      fc.property(at, fc.constantFrom(...LANES), token, token, (ref, lane, one, two) => {
        expect(isStoredIn(STREAMS.SYNC, subjects.hint(ref, 'push'))).toBe(true);
        expect(isStoredIn(STREAMS.SYNC, subjects.schedule(ref, one))).toBe(true);
        expect(isStoredIn(STREAMS.SYNC, subjects.fetched(ref, one))).toBe(true);
        expect(isStoredIn(STREAMS.SYNC, subjects.subscription(ref, 'due'))).toBe(true);
        expect(isStoredIn(STREAMS.PUSH, subjects.push(one, 'any.*> thing'))).toBe(true);
        expect(isStoredIn(STREAMS.MAIL, subjects.fact(ref, 'account.added'))).toBe(true);
        expect(isStoredIn(STREAMS.MAIL, subjects.relay('mail', one, '03'))).toBe(true);
        expect(isStoredIn(STREAMS.FETCH, subjects.job(one, lane, ref.account, two))).toBe(true);
        expect(isStoredIn(STREAMS.FETCH, subjects.subscriptionJob(one, ref.account, 'keep'))).toBe(true);
        expect(isStoredIn(STREAMS.WATCH, subjects.watch(one, ref.account))).toBe(true);
        expect(isStoredIn(STREAMS.WATCH, subjects.partitionLease(one, '03'))).toBe(true);
        expect(isStoredIn(STREAMS.CHANGES, subjects.change(ref, 'message', 'created'))).toBe(true);
        expect(isStoredIn(STREAMS.CHANGES, subjects.relay('changes', one, '03'))).toBe(true);
        expect(isStoredIn(STREAMS.DEAD, subjects.dead(one, two))).toBe(true);
      }),
    );
  });

  it('refuse anything that is not a token', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !isToken(text)),
        (bad) => {
          expect(() => subjects.hint({ tenant: 'default', account: bad }, 'push')).toThrow(TypeError);
          expect(() => subjects.cursor({ tenant: bad, account: 'a' }, 'inbox')).toThrow(TypeError);
        },
      ),
    );
  });
});

describe('parseSyncSubject', () => {
  it.each([
    'sync.requested.default.a',
    'sync.requested.default.a.push.more',
    'sync.requested.default.a.whatever',
    'sync.requested.default.*.push',
    'sync.requested..a.push',
    'sync.schedule.default.a.poll',
    'mail.00.default.a.message.changed',
    '',
  ])('is null for %j', (subject) => {
    expect(parseSyncSubject(subject)).toBeNull();
  });
});

describe('parseFactSubject', () => {
  it.each(['mail.00.default.a', 'changes.default.a.message.created', 'mail', ''])(
    'is null for %j',
    (subject) => {
      expect(parseFactSubject(subject)).toBeNull();
    },
  );
});
