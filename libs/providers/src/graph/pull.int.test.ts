// What a pull of one folder makes of what Graph says, entry by entry.
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importFolder, type Rig, startRig, told } from './testkit.ts';

const INBOX = 'Inbox';
const HOUR = 60 * 60_000;

let rig: Rig;
let ids: string[];

async function start(...[options, tuning]: Parameters<typeof startRig>): Promise<void> {
  rig = await startRig(options, tuning);
}

/** `count` messages in the inbox, imported and compared, and not new any more. */
async function startWith(count: number, ...given: Parameters<typeof startRig>): Promise<void> {
  await start(...given);
  ids = rig.control.deliver({ mailbox: rig.mailbox, count });
  await importFolder(rig, INBOX);
  rig.control.advance({ ms: HOUR });
  expect(told(await live(), rig)).toEqual(['listed Inbox']);
}

afterEach(async () => {
  await rig.mirror.close();
  await rig.close();
  rig.control.assertContract();
});

/** A few seconds at most. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within five seconds: ${condition}`);
    await turn();
  }
}

const of = (...at: number[]) => ({ mailbox: rig.mailbox, ids: at.map((one) => ids[one] ?? '') });
const idsInView = (path: string) => rig.mirror.copiesIn(path).map(({ copy }) => copy.id);
const live = async () => rig.pull(INBOX, 'live');

describe('a change', () => {
  beforeEach(() => startWith(6));

  it('of the read state alone is a patch, and asks for nothing else', async () => {
    rig.control.clearRequests();
    rig.control.markRead({ ...of(2), read: true });
    expect(told(await live(), rig)).toEqual(['patch Inbox']);
    expect(rig.mirror.copiesIn(INBOX).filter(({ flags }) => flags.includes('seen'))).toHaveLength(1);
    expect(rig.control.requests()).toHaveLength(1);
  });

  it('of anything else is the whole message, meeting requests included', async () => {
    rig.control.flag({ ...of(1), flag: 'flagged' });
    rig.control.deliver({ mailbox: rig.mailbox, kind: 'meeting-request' });
    expect(told(await live(), rig)).toEqual(['upsert Inbox', 'upsert Inbox']);
  });

  it('of nothing transfers no message', async () => {
    expect(told(await live(), rig)).toEqual([]);
  });

  it('that came after a round began is told when an earlier pull left that round half-way', async () => {
    rig.control.flag({ ...of(0, 1, 2, 3, 4, 5), flag: 'flagged' });
    const { mailbox, address } = rig.box(INBOX);
    const lost = new Error('lost');
    let pages = 0;
    const losing = { afterPage: () => (pages++ === 0 ? Promise.reject(lost) : Promise.resolve()) };
    const pulling = rig.mirror.pullOnce(await rig.connect(), mailbox, address, 'live', losing);
    await expect(pulling).rejects.toBe(lost);
    rig.control.deliver({ mailbox: rig.mailbox });
    const found = await live();
    expect(told(found, rig)).toEqual(['upsert Inbox', 'upsert Inbox']);
    expect(found.map(({ done }) => done)).toEqual([false, true]);
  });

  it('is known also when the cursor was not moved for a few looks', async () => {
    const cursor = rig.mirror.state.cursors.get(rig.box(INBOX).mailbox);
    for (let look = 0; look < 3; look += 1) {
      rig.mirror.rewind(rig.box(INBOX).mailbox, cursor);
      expect(told(await live(), rig)).toEqual([]);
    }
  });
});

describe('a message said to be removed', () => {
  beforeEach(() => startWith(6));

  it('is removed when it is nowhere', async () => {
    rig.control.remove(of(0, 1));
    expect(told(await live(), rig)).toEqual(['removed Inbox', 'removed Inbox']);
  });

  it('is told where it is now before it leaves, in the same page', async () => {
    rig.control.move({ ...of(3), to: 'archive' });
    const pages = await live();
    expect(told(pages, rig)).toEqual(['upsert Archive', 'removed Inbox']);
    expect(pages).toHaveLength(1);
    await importFolder(rig, 'Archive');
    expect(idsInView('Archive')).toEqual([ids[3]]);
  });

  it('is asked for again where it went to: it may have gone on unseen, and on, and back, and away', async () => {
    const { mailbox, control } = rig;
    const moved = of(4);
    const next = async (to: string) => {
      control.move({ ...moved, to });
      control.advance({ ms: 2 * 60_000 });
      return told(await live(), rig);
    };
    control.move({ ...moved, to: 'archive' });
    expect(told(await live(), rig)).toEqual(['upsert Archive', 'removed Inbox']);
    expect(await next('junkemail')).toEqual(['upsert Junk Email', 'removed Archive']);
    expect(await next('drafts')).toEqual(['upsert Drafts', 'removed Junk Email']);
    control.remove({ mailbox, ids: moved.ids });
    control.advance({ ms: 2 * 60_000 });
    expect(told(await live(), rig)).toEqual(['removed Drafts']);
    expect(told(await live(), rig)).toEqual([]);
  });

  it('is left to the folder it went to when it is still there', async () => {
    rig.control.move({ ...of(4), to: 'archive' });
    await live();
    rig.control.advance({ ms: 2 * 60_000 });
    expect(told(await live(), rig)).toEqual([]);
    rig.control.clearRequests();
    await live();
    expect(rig.control.requests()).toHaveLength(1);
  });

  it('is removed when it only waits for its end', async () => {
    rig.control.move({ ...of(0, 1), to: 'recoverableitemsdeletions' });
    expect(told(await live(), rig)).toEqual(['removed Inbox', 'removed Inbox']);
  });

  it('stays when it came back meanwhile, though the feed never says so', async () => {
    rig.control.behave({ delta: { lostReturns: 1 } });
    rig.control.move({ ...of(3), to: 'archive' });
    rig.control.move({ ...of(3), to: 'inbox' });
    expect(told(await live(), rig)).toEqual(['upsert Inbox']);
    expect(idsInView(INBOX)).toHaveLength(6);
  });

  it('is asked for again when it could not be: what was learned is kept', async () => {
    rig.control.move({ ...of(0, 1, 2, 3, 4), to: 'archive' });
    const fault = { kind: 'status', status: 429, retryAfter: 400 } as const;
    rig.control.fault({ path: `/messages/${ids[3]}`, times: 1, fault });
    await expect(live()).rejects.toMatchObject({ failure: 'quota', retryAfterMs: 400_000 });
    expect(idsInView(INBOX).sort()).toEqual([ids[3], ids[5]]);
    rig.control.clearRequests();
    await live();
    expect(idsInView(INBOX)).toEqual([ids[5]]);
    expect(rig.control.requests().filter(({ path }) => path.includes(`/messages/${ids[0]}`))).toEqual([]);
  });
});

describe('a message that Graph will not show', () => {
  beforeEach(() => startWith(6));
  it('keeps back nothing but itself, and does not end the account', async () => {
    rig.control.remove(of(0, 1, 2, 3));
    const fault = { kind: 'status', status: 403, code: 'ErrorAccessDenied' } as const;
    rig.control.fault({ path: `/messages/${ids[0]}`, times: 2, fault });
    for (const _ of [1, 2]) await expect(live()).rejects.toMatchObject({ failure: 'permanent' });
    expect(idsInView(INBOX).sort()).toEqual([ids[0], ids[4], ids[5]]);
    await live();
    expect(idsInView(INBOX)).toHaveLength(2);
  });
  it('is asked for again when the whole batch was refused', async () => {
    rig.control.remove(of(0, 1, 2, 3));
    rig.control.flag({ ...of(5), flag: 'flagged' });
    rig.control.fault({ path: 'batch', times: 1, fault: { kind: 'html', status: 502 } });
    await expect(live()).rejects.toMatchObject({ failure: 'network' });
    expect(rig.mirror.copiesIn(INBOX).find(({ copy }) => copy.id === ids[5])?.flags).toEqual(['flagged']);
    await live();
    expect(idsInView(INBOX).sort()).toEqual([ids[4], ids[5]]);
  });
});

describe('a link that is no longer known', () => {
  beforeEach(() => startWith(12));

  const scope = () => rig.box(INBOX).mailbox;
  const change = (edit: (link: string) => string) => {
    const { link, ...cursor } = JSON.parse(JSON.stringify(rig.mirror.state.cursors.get(scope())));
    rig.mirror.rewind(scope(), { ...cursor, link: edit(link) });
  };

  it.each([
    ['was forgotten', () => rig.control.expireCursors({ mailbox: rig.mailbox })],
    ['is damaged', () => change((link) => `${link}x`)],
    [
      'is of another folder',
      () => change((link) => link.replace(rig.box(INBOX).address, rig.box('Archive').address)),
    ],
  ])('because it %s has the folder read again, losing and resurrecting nothing', async (_why, break_) => {
    rig.control.remove(of(0, 5));
    rig.control.flag({ ...of(7), flag: 'flagged' });
    break_();
    expect(await live()).toMatchObject([{ changes: [], done: false }]);
    expect(await live()).toEqual([]);
    await importFolder(rig, INBOX);
    expect(idsInView(INBOX)).toHaveLength(12);
    rig.control.advance({ ms: HOUR });
    expect(told(await live(), rig)).toEqual(['listed Inbox']);
    expect(idsInView(INBOX).sort()).toEqual(ids.filter((_, at) => at !== 0 && at !== 5).sort());
    expect(rig.mirror.copiesIn(INBOX).filter(({ flags }) => flags.includes('flagged'))).toHaveLength(1);
  });

  it('is read anew by whoever finds its cursor put back to nothing, or made by another version', async () => {
    for (const cursor of [null, { v: 1, select: 0, link: 'https://example.com' }]) {
      rig.mirror.rewind(scope(), cursor);
      expect(await live()).toMatchObject([{ changes: [], done: false }]);
      await importFolder(rig, INBOX);
      expect(idsInView(INBOX)).toHaveLength(12);
    }
  });

  it('during the import begins it anew', async () => {
    rig.mirror.rewind(scope(), null);
    await rig.mirror.pullOnce(await rig.connect(), scope(), rig.box(INBOX).address, 'backfill', {
      afterPage: async () => rig.control.expireCursors({ mailbox: rig.mailbox }),
    });
    expect(rig.mirror.pages.at(-1)?.page).toMatchObject({ changes: [], done: false, cursor: { link: null } });
  });
});

describe('while the import goes on', () => {
  it('new mail is told by the live lane, once', async () => {
    await start({}, { job: 5 });
    rig.control.deliver({ mailbox: rig.mailbox, count: 20 });
    rig.control.advance({ ms: HOUR });
    await rig.mirror.pullOnce(await rig.connect(), 'mailboxes', null, 'live');
    await rig.pull(INBOX, 'backfill');
    expect(idsInView(INBOX)).toHaveLength(5);
    expect(told(await live(), rig)).toEqual([]);
    const fresh = rig.control.deliver({ mailbox: rig.mailbox, count: 2 });
    rig.control.clearRequests();
    expect(told(await live(), rig)).toEqual(['upsert Inbox', 'upsert Inbox']);
    expect(rig.control.requests()).toHaveLength(1);
    expect(idsInView(INBOX)).toEqual(expect.arrayContaining(fresh));
    expect(told(await live(), rig)).toEqual([]);
    await importFolder(rig, INBOX);
    expect(idsInView(INBOX)).toHaveLength(22);
  });

  it('mail that the live lane told and that is gone before the end is gone in the end', async () => {
    await start({}, { job: 5 });
    rig.control.deliver({ mailbox: rig.mailbox, count: 20 });
    await rig.mirror.pullOnce(await rig.connect(), 'mailboxes', null, 'live');
    await rig.pull(INBOX, 'backfill');
    const fresh = rig.control.deliver({ mailbox: rig.mailbox });
    await live();
    rig.control.remove({ mailbox: rig.mailbox, ids: fresh });
    await importFolder(rig, INBOX);
    rig.control.advance({ ms: HOUR });
    await live();
    expect(idsInView(INBOX)).toHaveLength(20);
  });

  it('how much is left is told, the newest come first, and a job ends where others get their turn', async () => {
    await start({}, { job: 10 });
    ids = rig.control.deliver({ mailbox: rig.mailbox, count: 23 });
    await rig.mirror.pullOnce(await rig.connect(), 'mailboxes', null, 'live');
    const pages = await rig.pull(INBOX, 'backfill');
    expect(pages.map(({ estimate, origin }) => [estimate, origin])).toEqual([
      [18, 'backfill'],
      [13, 'backfill'],
    ]);
    expect(idsInView(INBOX)).toEqual(ids.slice(13).toReversed());
  });
});

describe('comparing all ids', () => {
  const DAY = 24 * HOUR;
  beforeEach(() => startWith(30));

  it('finds what the view should not have, and has the folder read again for what it lacks', async () => {
    const { copies } = rig.mirror.state.view;
    const [name = '', copy] = [...copies][0] ?? [];
    if (!copy) throw new Error('no copy');
    copies.delete(name);
    copies.set('ghost', { ...copy, copy: { ...copy.copy, id: 'AAghost' } });
    rig.control.deliver({ mailbox: rig.mailbox });
    rig.control.advance({ ms: 3 * DAY });
    await live();
    expect(copies.has('ghost')).toBe(false);
    await importFolder(rig, INBOX);
    expect(idsInView(INBOX)).toHaveLength(31);
  });

  it('says nothing when there is nothing new to compare, and waits for the next day', async () => {
    rig.control.clearRequests();
    expect(told(await live(), rig)).toEqual([]);
    expect(rig.control.requests()).toHaveLength(1);
    rig.control.advance({ ms: 2 * DAY });
    rig.control.clearRequests();
    expect(told(await live(), rig)).toEqual([]);
    expect(rig.control.requests().some(({ query }) => query.includes('lastModifiedDateTime'))).toBe(true);
  });

  it('waits until the folder is quiet, but not for ever', async () => {
    rig.control.advance({ ms: 1.5 * DAY });
    const flags = ['flagged', 'none'] as const;
    const busy = async (at: number) => {
      rig.control.flag({ ...of(7), flag: flags[at % 2] ?? 'none' });
      return told(await live(), rig);
    };
    for (const at of [0, 1, 2]) expect(await busy(at)).toEqual(['upsert Inbox']);
    rig.control.advance({ ms: DAY });
    expect(await busy(3)).toContain('listed Inbox');
  });

  it('does not miss a message that slipped to an earlier place while the list was read', async () => {
    rig.control.advance({ ms: 2 * DAY });
    rig.control.fault({ path: 'skip=20', times: 1, fault: { kind: 'hold' } });
    const looking = live();
    await until(() => rig.control.held() === 1);
    rig.control.remove(of(29));
    rig.control.release();
    expect(told(await looking, rig)).toContain('listed Inbox');
    expect(idsInView(INBOX).sort()).toEqual(ids.slice(0, 29).sort());
  });

  it('claims nothing of messages so new that the feed may not have them yet', async () => {
    rig.control.advance({ ms: 2 * DAY });
    rig.control.behave({ lagMs: [HOUR, HOUR] });
    rig.control.move({ ...of(4), to: 'archive' });
    rig.control.move({ ...of(4), to: 'inbox' });
    rig.control.behave({ lagMs: [0, 0] });
    rig.control.copy({ ...of(5), to: 'inbox' });
    await live();
    expect(rig.mirror.state.cursors.get(rig.box(INBOX).mailbox)).not.toBeNull();
    expect(idsInView(INBOX)).toHaveLength(30);
  });
});
