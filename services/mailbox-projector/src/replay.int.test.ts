/** The view depends on the log alone: not on where batches begin and end, not on how often something is said. */
import { uidToId } from '@mailstream/contracts';
import type { Page } from '@mailstream/fold';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  at,
  createLog,
  failed,
  flagged,
  gone,
  listed,
  listedIds,
  mailbox,
  mailboxGone,
  placed,
  type Said,
  seen,
} from './testkit.ts';
import { createSubscriber } from './testkit-subscriber.ts';
import { createTestView, type TestView } from './testkit-view.ts';

let view: TestView;

beforeAll(async () => {
  view = await createTestView();
});

afterAll(() => view?.drop());

const boxes = fc.constantFrom('A', 'B', 'C');
const place = fc.record({
  box: boxes,
  uid: fc.integer({ min: 1, max: 6 }),
  generation: fc.constantFrom('1', '1', '1', '2'),
});
const flags = fc.subarray(['answered', 'flagged', 'seen']);
const ids = fc.constantFrom('m1', 'm2', 'm3', 'm4', 'm5');

/** Few places, few messages, few Message-IDs: everything meets everything. */
const said: fc.Arbitrary<Said> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(place, ids, fc.subarray(['m1', 'm3', 'x1']), flags)
      .map(([p, id, references, f]) =>
        seen(
          at(p.box, p.uid, p.generation),
          { messageId: id, references, receivedAt: `2026-01-0${id.slice(1)}T00:00:00Z` },
          { flags: f },
        ),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(place, ids, flags)
      .map(([p, id, f]) =>
        seen(
          at(p.box, p.uid, p.generation),
          { messageId: id },
          { key: `k${id}`, keyKind: 'message', flags: f },
        ),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(boxes, fc.subarray(['A', 'B', 'C']), ids, flags)
      .map(([box, others, id, f]) =>
        seen(
          { mailbox: box, generation: '1', id: `k${id}` },
          { messageId: id },
          { key: `k${id}`, keyKind: 'message', flags: f, mailboxes: [box, ...others] },
        ),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(ids, fc.subarray(['A', 'B', 'C']), flags)
      .map(([id, mailboxes, f]) => placed(`k${id}`, mailboxes, f)),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(boxes, fc.subarray(['km1', 'km2', 'km3'])).map(([box, keys]) =>
      listedIds(
        box,
        keys.map((id) => ({ mailbox: box, generation: '1', id })),
        { from: 'k', everywhere: true },
      ),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(place, flags).map(([p, f]) => flagged(at(p.box, p.uid, p.generation), f)),
  },
  { weight: 3, arbitrary: place.map((p) => gone(at(p.box, p.uid, p.generation))) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(boxes, fc.subarray([1, 2, 3, 4, 5, 6], { minLength: 1 }), fc.option(flags), fc.boolean())
      .map(([box, uids, f, sweep]) => listed(box, [{ uids: uids.join(','), flags: f }], { to: 5, sweep })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(boxes, fc.subarray([1, 2, 3, 4, 5, 6]), fc.boolean()).map(([box, uids, sweep]) =>
      listedIds(
        box,
        uids.map((uid) => at(box, uid)),
        { to: uidToId(5), sweep },
      ),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(boxes, fc.constantFrom('Inbox', 'Post'))
      .map(([box, name]) => mailbox(box, { path: name, name })),
  },
  { weight: 1, arbitrary: boxes.map(mailboxGone) },
);

/** Pages of two accounts; the log's clock sometimes jumps, so that some of what is gone is forgotten. */
const pages: fc.Arbitrary<Page[]> = fc
  .array(
    fc.record({
      account: fc.constantFrom('acc', 'other'),
      scope: boxes,
      said: fc.array(said, { maxLength: 6 }),
      run: fc.constantFrom('r1', 'r2'),
      done: fc.boolean(),
      minutes: fc.constantFrom(0, 0, 0, 1, 31),
      fails: fc.constantFrom(false, false, false, true),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((plan) => {
    const log = createLog();
    let time = Date.parse('2026-03-01T00:00:00Z');
    return plan.map(({ account, scope, said, run, done, minutes, fails }) => {
      time += minutes * 60_000;
      return fails
        ? log.alone(failed(scope, run), { account, time })
        : log.page(scope, said, { account, run, done, time });
    });
  });

async function foldIn(batches: readonly (readonly Page[])[]) {
  await view.empty();
  const subscriber = createSubscriber();
  for (const batch of batches) subscriber.hear(await view.fold(...batch));
  const faults = [...(await view.faults()), ...(await subscriber.problems(view.db))];
  return { rows: await view.rows(), faults };
}

/** Cuts a list where the numbers say. */
function cut(list: readonly Page[], sizes: readonly number[]): Page[][] {
  const batches: Page[][] = [];
  for (let from = 0, n = 0; from < list.length; n += 1) {
    const size = sizes[n % sizes.length] ?? 1;
    batches.push(list.slice(from, from + size));
    from += size;
  }
  return batches;
}

it('is the same row by row however the log is cut into batches, counts right, and is told right', async () => {
  await fc.assert(
    fc.asyncProperty(
      pages,
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1 }),
      async (list, sizes) => {
        const one = await foldIn(list.map((page) => [page]));
        expect(one.faults).toEqual([]);
        expect(await foldIn([list])).toEqual(one);
        expect(await foldIn(cut(list, sizes))).toEqual(one);
      },
    ),
    { numRuns: 40 },
  );
}, 120_000);
