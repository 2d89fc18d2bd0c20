/** Messages of providers with labels: one fact says all the mailboxes that hold a message. */
import type { Emission } from '@mailstream/fold';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createLog, listedIds, mailbox, placed, type Said, seen } from './testkit.ts';
import { createTestView, type TestView } from './testkit-view.ts';

let view: TestView;
let log: ReturnType<typeof createLog>;

const labelled = (id: string, mailboxes: string[], flags: string[] = []) =>
  seen(
    { mailbox: 'all', generation: '1', id },
    { messageId: id },
    { key: id, keyKind: 'message', flags, mailboxes },
  );

beforeAll(async () => {
  view = await createTestView();
});

afterAll(() => view?.drop());

beforeEach(async () => {
  log = createLog();
  await view.empty();
  await view.fold(log.page('mailboxes', [mailbox('all'), mailbox('inbox'), mailbox('work')]));
});

afterEach(async () => {
  expect(await view.faults()).toEqual([]);
});

async function tell(...said: Said[]): Promise<string[]> {
  const emissions = await view.fold(log.page('all', said));
  return emissions.flatMap((one) => messageIn(one) ?? []);
}

function messageIn(emission: Emission): string | null {
  if (emission.to === 'mail') return emission.fact;
  return emission.entity === 'message' ? emission.verb : null;
}

async function copies(): Promise<string[]> {
  const rows = await view.db.query<{ copy: string }>(
    `select id || ' in ' || mailbox || ' ' || flags::text as copy from view.copy order by 1`,
  );
  return rows.map(({ copy }) => copy);
}

it('makes one message, told once, of one fact with several mailboxes', async () => {
  expect(await tell(labelled('m', ['all', 'inbox', 'work'], ['seen']))).toEqual(['created']);
  expect(await copies()).toEqual(['m in all {seen}', 'm in inbox {seen}', 'm in work {seen}']);
  expect(await tell(labelled('m', ['all', 'inbox', 'work'], ['seen']))).toEqual([]);
});

it('applies labels as a set, without the content', async () => {
  await tell(labelled('m', ['all', 'inbox']));
  expect(await tell(placed('m', ['all', 'work'], ['seen']))).toEqual(['moved']);
  expect(await copies()).toEqual(['m in all {seen}', 'm in work {seen}']);
  expect(await tell(placed('m', ['all', 'work'], ['flagged', 'seen']))).toEqual(['updated']);
  expect(await tell(placed('m', ['work', 'all'], ['seen', 'flagged']))).toEqual([]);
});

it('deletes what is in no mailbox any more, and knows nothing of it from then on', async () => {
  await tell(labelled('m', ['all', 'inbox']));
  expect(await tell(placed('m', []))).toEqual(['deleted']);
  expect(await tell(placed('m', ['all']), placed('unknown', ['all']))).toEqual([]);
  expect(await copies()).toEqual([]);
});

it('removes from everywhere what a list of all messages does not name', async () => {
  await tell(labelled('kept', ['all', 'inbox']), labelled('gone', ['all', 'inbox', 'work']));
  const kept = { mailbox: 'all', generation: '1', id: 'kept' };
  expect(await tell(listedIds('all', [kept], { everywhere: true }))).toEqual(['deleted']);
  expect(await copies()).toEqual(['kept in all {}', 'kept in inbox {}']);
});
