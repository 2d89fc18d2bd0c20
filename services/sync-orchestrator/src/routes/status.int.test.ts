// What the doctor reads of the database and the log: damage that nobody mends, folds that stand still, cursors that grow old.
import type { Account, DoctorReport, StatusReport } from '@mailstream/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readAgeing } from '../accounts/ageing.ts';
import { readLate } from '../accounts/late.ts';
import { startWorld, type World } from '../testkit.ts';

let world: World;
let ada: Account;
beforeAll(async () => {
  world = await startWorld();
  const settings = { host: 'imap.example.com', user: 'ada@example.com', secure: true };
  const request = { provider: 'imap', settings, credential: { password: 'secret' } };
  ada = (await world.call('POST', '/v1/accounts', request)).body;
});
afterAll(() => world?.stop());

const status = async () => (await world.call<StatusReport>('GET', '/v1/status')).body;

/** As a projector left it that does not run any more. */
async function checkpoint(partition: number, position: bigint, epoch: string, fingerprint: string | null) {
  await world.db.query(
    `INSERT INTO fold.checkpoint (fold, partition, position, epoch, fingerprint, updated_at)
     VALUES ('projector', $1, $2, $3, $4, now() - interval '1 hour')`,
    [partition, position, epoch, fingerprint],
  );
}

it('tells what is wrong with the log, as the folds would that do not run', async () => {
  const { created, last } = await world.bus.state('MAIL');
  await checkpoint(0, 0n, `${created}/0/0`, null);
  await checkpoint(1, 0n, '2020-01-01T00:00:00Z/0/0', null);
  await checkpoint(2, last + 1_000n, `${created}/0/0`, null);
  await checkpoint(3, last, `${created}/0/0`, 'of something else');
  const { damage, folds } = await status();
  expect(damage?.filter(({ fold }) => fold === 'projector')).toEqual([
    { fold: 'projector', partition: 1, kind: 'recreated' },
    { fold: 'projector', partition: 2, kind: 'truncated' },
    { fold: 'projector', partition: 3, kind: 'restored' },
  ]);
  const movedAt = folds.find(({ fold, partition }) => fold === 'projector' && partition === 0)?.movedAt;
  expect(Date.now() - Date.parse(movedAt ?? '')).toBeGreaterThan(3_000_000);
  const { findings } = (await world.call<DoctorReport>('GET', '/v1/doctor')).body;
  expect(findings).toContainEqual(
    expect.objectContaining({ level: 'fail', check: 'the log is what was folded' }),
  );
});

it('knows cursors of which half the life is over, by what their provider says', async () => {
  await world.db.query(
    `INSERT INTO control.scope (account, scope, path, hot, backfilled, attempts, checked_at)
     VALUES ($1, 'old', 'Old', false, true, 0, now() - interval '4 days'), ($1, 'new', 'New', false, true, 0, now())`,
    [ada.id],
  );
  const day = 86_400_000;
  const ageing = (cursorLifeMs: number) =>
    readAgeing(world.db, 'default', [{ name: 'imap', cursorLifeMs }, { name: 'google' }]);
  expect(await ageing(7 * day)).toMatchObject([{ account: ada.id, name: ada.name, path: 'Old' }]);
  const [found] = await ageing(7 * day);
  expect(Date.parse(found?.until ?? '') - Date.parse(found?.checkedAt ?? '')).toBe(7 * day);
  expect(await ageing(9 * day)).toEqual([]);
  // IMAP promises nothing and forgets nothing.
  expect((await status()).ageing).toEqual([]);
});

it('knows accounts that nobody looks at, unless they wait for somebody or are in trouble', async () => {
  const put = (state: string, age: string) =>
    world.db.query(
      `WITH a AS (UPDATE control.account SET state = $2, created_at = now() - interval '1 hour' WHERE id = $1)
       UPDATE control.scope SET checked_at = now() - $3::interval WHERE account = $1`,
      [ada.id, state, age],
    );
  const late = () => readLate(world.db, 'default', 60_000);
  await put('live', '5 minutes');
  expect(await late()).toMatchObject({ count: 1, name: ada.name });
  await put('paused', '5 minutes');
  expect(await late()).toBeNull();
  await put('live', '3 minutes');
  expect(await late()).toBeNull();
});
