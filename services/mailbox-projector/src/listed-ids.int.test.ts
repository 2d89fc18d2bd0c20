import type { Emission, Page } from '@mailstream/fold';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createLog, flagChanges, listedIds, mailbox, seen } from './testkit.ts';
import { createTestView, type TestView } from './testkit-view.ts';

let view: TestView;
let log: ReturnType<typeof createLog>;

const copy = (id: string, generation = '1') => ({ mailbox: 'A', generation, id });
/** A message whose key is the id of its copies. */
const keyed = (id: string, generation?: string, flags: string[] = []) =>
  seen(copy(id, generation), { messageId: id }, { key: id, keyKind: 'message', flags });

beforeAll(async () => {
  view = await createTestView();
});

afterAll(() => view?.drop());

beforeEach(async () => {
  log = createLog();
  await view.empty();
  const said = ['AAb', 'AAB', 'Bcd', 'x-y_z='].map((id) => keyed(id));
  await view.fold(log.page('mailboxes', [mailbox('A')]), log.page('A', said));
});

afterEach(async () => {
  expect(await view.faults()).toEqual([]);
});

async function fold(page: Page): Promise<string[]> {
  const emissions = await view.fold(page);
  return emissions.filter((one) => one.to === 'mail' || one.entity === 'message').map(short);
}

function short(emission: Emission): string {
  return emission.to === 'mail' ? emission.fact : emission.verb;
}

async function idsInView(): Promise<string[]> {
  const rows = await view.db.query<{ id: string }>('select id from view.copy order by id');
  return rows.map(({ id }) => id);
}

it('removes what is not named, in its window, minding case', async () => {
  expect(await fold(log.page('A', [listedIds('A', [copy('AAb')], { from: 'AA', to: 'B' })]))).toEqual([
    'deleted',
  ]);
  expect(await idsInView()).toEqual(['AAb', 'Bcd', 'x-y_z=']);
  expect(await fold(log.page('A', [listedIds('A', [copy('AAb')])]))).toEqual(['deleted', 'deleted']);
});

it('has asked for what the view lacks, told in several windows', async () => {
  const windows = [
    listedIds('A', [copy('AAb'), copy('AAB'), copy('AAZ')], { to: 'B' }),
    listedIds('A', [copy('Bcd'), copy('x-y_z=')], { from: 'B' }),
  ];
  const emissions = await view.fold(log.page('A', windows));
  expect(emissions.map(short)).toEqual(['cursor.A']);
  const [stored] = await view.db.query<{ cursor: unknown; done: boolean }>(
    "select cursor, done from view.cursor where scope = 'A'",
  );
  expect(emissions[0]).toMatchObject({
    data: { reason: 'drift', missing: ['AAZ'], cursor: stored?.cursor, scope: 'A' },
  });
  expect(stored).toMatchObject({ cursor: expect.anything(), done: true });
  expect(await view.db.query('select drift from view.mailbox')).toEqual([{ drift: 1 }]);
});

it('lacks nothing that the same page brings', async () => {
  const all = ['AAb', 'AAB', 'Bcd', 'x-y_z=', 'new'].map((id) => copy(id));
  expect(await fold(log.page('A', [listedIds('A', all), keyed('new')]))).toEqual(['created']);
  expect(await view.db.query('select drift from view.mailbox')).toEqual([{ drift: 0 }]);
});

it('ends a generation that was read from its beginning: what is still there is not told of', async () => {
  const again = ['AAb', 'Bcd', 'x-y_z='].map((id) => keyed(id, '2'));
  expect(await fold(log.page('A', again))).toEqual([]);
  const sweep = listedIds('A', [], { generation: '2', to: '', sweep: true });
  expect(await fold(log.page('A', [sweep]))).toEqual(['deleted']);
  expect(await idsInView()).toEqual(['AAb', 'Bcd', 'x-y_z=']);
});

it('keeps the flags that a partial change says nothing of', async () => {
  await fold(log.page('A', [keyed('AAb', '1', ['flagged', 'red'])]));
  expect(await fold(log.page('A', [flagChanges(copy('AAb'), { added: ['seen'] })]))).toEqual(['updated']);
  expect(await fold(log.page('A', [flagChanges(copy('AAb'), { cleared: ['red', 'none'] })]))).toEqual([
    'updated',
  ]);
  expect(await view.db.query("select flags from view.copy where id = 'AAb'")).toEqual([
    { flags: ['flagged', 'seen'] },
  ]);
});
