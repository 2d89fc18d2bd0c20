// Pages become batches: closed by their cursor, chained, within the server's bounds, and nothing is lost on the way.
import {
  type CursorAdvanced,
  type Envelope,
  type FetchJob,
  MAILBOXES_SCOPE,
  validatorOf,
} from '@mailstream/contracts';
import type { Change, Page } from '@mailstream/providers';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ChainHead, toBatches } from './page-batches.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const JOB: FetchJob = {
  run: 'run-1',
  tenant: 'default',
  account: '0190a0b0-0000-7000-8000-000000000001',
  provider: 'imap',
  scope: 'abc',
  address: 'INBOX',
  lane: 'live',
  reason: 'push',
  credentialVersion: 1,
};
const HEAD: ChainHead = { page: 'before', cursor: { at: 1 }, sequence: 7n };

const removed = (uid: number): Change => ({
  kind: 'message',
  data: { op: 'removed', copy: { mailbox: 'abc', generation: '1', id: String(uid) }, origin: 'live' },
});
const pageOf = (changes: readonly Change[]): Page => ({
  changes,
  cursor: { at: 2 },
  origin: 'live',
  done: true,
  estimate: null,
});
const eventsOf = (page: Page) =>
  toBatches(JOB, page, HEAD, { startedAt: NOW, now: NOW }).map((batch) =>
    batch.messages.map((message) => message.data as Envelope),
  );
const closing = (batch: readonly Envelope[]) => batch.at(-1)?.data as CursorAdvanced;

it('a page is one batch: its facts in order, then its cursor', () => {
  const [batch, ...more] = eventsOf(pageOf([removed(1), removed(2)]));
  expect(more).toEqual([]);
  expect(batch?.map((event) => event.type)).toEqual([
    'mailstream.message.changed.v1',
    'mailstream.message.changed.v1',
    'mailstream.cursor.advanced.v1',
  ]);
  expect(closing(batch ?? [])).toMatchObject({
    prev: 'before',
    cursor: { at: 2 },
    count: 2,
    done: true,
    run: 'run-1',
  });
});

it('every event is what the catalogue says it is', () => {
  for (const event of eventsOf(pageOf([removed(1)])).flat())
    expect(validatorOf(event.type)?.Errors(event)).toEqual([]);
});

it('a page without changes is its cursor alone', () => {
  expect(eventsOf(pageOf([])).map((batch) => batch.length)).toEqual([1]);
});

it('a page of any size is split into chained batches that keep the old cursor until the last', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000 }), (size) => {
      const changes = Array.from({ length: size }, (_, index) => removed(index + 1));
      const batches = eventsOf(pageOf(changes));
      expect(batches.flatMap((batch) => batch.slice(0, -1).map((event) => event.data))).toEqual(
        changes.map((change) => change.data),
      );
      let prev: string | null = HEAD.page;
      for (const [index, batch] of batches.entries()) {
        const last = index === batches.length - 1;
        expect(batch.length).toBeLessThanOrEqual(1_000);
        expect(closing(batch)).toMatchObject({ prev, cursor: last ? { at: 2 } : HEAD.cursor, done: last });
        expect(closing(batch).part).toBe(last ? undefined : true);
        expect(new Set(batch.map((event) => event.page))).toEqual(new Set([closing(batch).page]));
        prev = closing(batch).page;
      }
    }),
    { numRuns: 30 },
  );
});

it('a page of few but huge facts is split by its bytes', () => {
  const uids = Array.from({ length: 100_000 }, (_, index) => index * 2 + 1).join(',');
  const listed: Change = {
    kind: 'listed',
    data: {
      mailbox: MAILBOXES_SCOPE,
      generation: '1',
      from: 1,
      to: 300_000,
      present: [{ uids, flags: null }],
      sweep: false,
      origin: 'reconcile',
    },
  };
  const batches = eventsOf(pageOf(Array.from({ length: 20 }, () => listed)));
  for (const batch of batches) expect(Buffer.byteLength(JSON.stringify(batch))).toBeLessThan(5_000_000);
  expect(batches.length).toBeGreaterThan(2);
});
