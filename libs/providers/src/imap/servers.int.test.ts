/** What no good server shows: odd capabilities, noise between answers, lies about what is gone, messages that cannot be read. */
import { type MailboxUpsert, uidToId } from '@mailstream/contracts';
import { createReach } from '@mailstream/runtime';
import { fetchRow, type ScriptServer, scriptMailbox, startScriptServer } from '@mailstream/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { createMirror, type Mirror } from '../conformance-mirror.ts';
import { neverRenewed } from '../conformance-world.ts';
import { createImap } from './index.ts';
import type { Tuning } from './steps.ts';

const BARE = 'IMAP4rev1';
const CONDSTORE = `${BARE} ENABLE CONDSTORE`;
const QRESYNC = `${CONDSTORE} QRESYNC ESEARCH LIST-STATUS`;
const HOUR = 60 * 60_000;

let server: ScriptServer;
let mirror: Mirror;
afterEach(async () => {
  await mirror.close();
  await server.close();
});

async function start(capability: string, tuning: Partial<Tuning> = {}) {
  server = await startScriptServer({ capability });
  const imap = createImap(createReach('everywhere'), { now: () => 0, ...tuning });
  mirror = createMirror(() =>
    imap.connect({
      account: 'a',
      settings: { host: server.host, port: server.port, secure: false, user: 'ada', allowPlaintext: true },
      credential: { password: 'secret' },
      renew: neverRenewed,
      signal: AbortSignal.timeout(5_000),
    }),
  );
  return { imap };
}

function put(path: string, ...uids: number[]) {
  const box = scriptMailbox({ messages: uids.map((uid) => ({ uid, modseq: BigInt(uid) })) });
  server.mailboxes.set(path, box);
  return box;
}

const uidsIn = (path: string) =>
  mirror
    .copiesIn(path)
    .map(({ copy }) => Number(copy.id))
    .sort((a, b) => a - b);
const flagsOf = (path: string, uid: number) =>
  mirror.copiesIn(path).find(({ copy }) => copy.id === uidToId(uid))?.flags;
const cursorOf = (path: string) => {
  const box = [...mirror.state.view.mailboxes.values()].find((mailbox) => mailbox.path === path);
  return mirror.state.cursors.get(box?.mailbox ?? '');
};
const poll = () => mirror.sync({ all: true });
const fetches = () => server.commands.filter((command) => command.startsWith('UID FETCH'));

describe('a server with few extensions', () => {
  it('of RFC 3501 alone: new mail, flags and removals are found by looking', async () => {
    await start(BARE);
    const box = put('INBOX', 2, 3, 9);
    await poll();
    expect(uidsIn('INBOX')).toEqual([2, 3, 9]);
    box.messages = [{ uid: 2, flags: ['\\Flagged', '\\Recent'] }, { uid: 9 }, { uid: 12 }];
    box.uidNext = 13;
    await poll();
    expect(uidsIn('INBOX')).toEqual([2, 9, 12]);
    expect(flagsOf('INBOX', 2)).toEqual(['flagged']);
    expect(
      server.commands.filter(
        (command) => /CHANGEDSINCE|QRESYNC|\*/.test(command) && !/^LIST|^LSUB/.test(command),
      ),
    ).toEqual([]);
  });

  it('that says HIGHESTMODSEQ without CONDSTORE is never asked what changed since', async () => {
    await start(BARE);
    const box = put('INBOX', 1, 2);
    box.highestModseq = 5n;
    await poll();
    box.messages[0] = { uid: 1, flags: ['\\Seen'] };
    box.highestModseq = 6n;
    await poll();
    expect(flagsOf('INBOX', 1)).toEqual(['seen']);
    expect(server.commands.join('\n')).not.toMatch(/CHANGEDSINCE/);
  });

  it('has its old windows of flags looked at every few hours', async () => {
    let now = 0;
    await start(BARE, { window: 5, now: () => now });
    const box = put('INBOX', 1, 2, 30, 60);
    await poll();
    await poll();
    box.messages[0] = { uid: 1, flags: ['\\Seen'] };
    await poll();
    expect(flagsOf('INBOX', 1)).toEqual([]);
    now += 7 * HOUR;
    await poll();
    expect(flagsOf('INBOX', 1)).toEqual(['seen']);
  });

  it('that gains CONDSTORE, or restarts its mod-sequences, has all flags looked at once', async () => {
    await start(CONDSTORE);
    const box = put('INBOX', 1, 2);
    await poll();
    box.messages[0] = { uid: 1, flags: ['\\Seen'], modseq: 2n };
    box.highestModseq = 900n;
    await poll();
    expect(flagsOf('INBOX', 1)).toEqual(['seen']);
    box.messages[0] = { uid: 1, flags: ['\\Flagged'], modseq: 2n };
    box.highestModseq = 3n;
    await poll();
    expect(flagsOf('INBOX', 1)).toEqual(['flagged']);
    expect(cursorOf('INBOX')).toMatchObject({ modseq: '3' });
    const before = mirror.pages.length;
    await poll();
    expect(mirror.pages).toHaveLength(before);
  });

  it('keeps mod-sequences beyond 2^53 exact', async () => {
    await start(CONDSTORE);
    const box = put('INBOX', 1);
    box.highestModseq = 9_007_199_254_740_993n;
    await poll();
    box.messages[0] = { uid: 1, flags: ['\\Seen'], modseq: 9_007_199_254_740_995n };
    box.highestModseq = 9_007_199_254_740_995n;
    await poll();
    expect(server.commands).toContainEqual(expect.stringContaining('CHANGEDSINCE 9007199254740993)'));
    expect(flagsOf('INBOX', 1)).toEqual(['seen']);
  });
});

describe('noise', () => {
  it('of other clients inside a FETCH is not taken for an answer', async () => {
    await start(BARE);
    const box = put('INBOX', 1, 2, 3);
    server.on((command) =>
      /^UID FETCH .*ENVELOPE/.test(command)
        ? [
            '* 1 FETCH (FLAGS (\\Deleted))',
            '* 2 FETCH (UID 2 FLAGS (\\Seen))',
            ...box.messages.map((message, at) => fetchRow(at + 1, message, command)),
            '* 3 FETCH (UID 3 FLAGS (\\Flagged))',
            '* 99 FETCH (UID 77 FLAGS (\\Seen))',
            '* 4 EXISTS',
            '* 1 EXPUNGE',
            'TAG OK',
          ]
        : null,
    );
    await poll();
    expect(uidsIn('INBOX')).toEqual([1, 2, 3]);
    expect(mirror.copiesIn('INBOX').map(({ content }) => content.subject)).toContain('message 2');
  });

  it('messages expunged between SEARCH and FETCH are left out', async () => {
    await start(BARE);
    const box = put('INBOX', 1, 2, 3);
    server.on((command) => {
      if (command.startsWith('UID FETCH')) box.messages = box.messages.filter(({ uid }) => uid !== 2);
      return null;
    });
    await poll();
    expect(uidsIn('INBOX')).toEqual([1, 3]);
  });
});

describe('a message that cannot be read', () => {
  it.each([
    ['a malformed ENVELOPE', { envelope: '(((((NIL "x" {' }],
    ['an ENVELOPE that breaks off', { envelope: '("x" "y"' }],
    ['NIL for everything', { envelope: 'NIL', bodyStructure: 'NIL', internalDate: 'NIL' }],
    ['an absurd structure', { bodyStructure: `${'('.repeat(60)}"a"${')'.repeat(60)}` }],
  ])('because of %s is there without its content', async (_, broken) => {
    await start(BARE);
    const box = put('INBOX', 1, 2, 3);
    Object.assign(box.messages[1] ?? {}, broken, { flags: ['\\Seen'] });
    await poll();
    expect(uidsIn('INBOX')).toEqual([1, 2, 3]);
    expect(flagsOf('INBOX', 2)).toEqual(['seen']);
  });

  it('because the server refuses it holds nothing up, and is asked for again after a day', async () => {
    let now = 0;
    let poisoned = true;
    await start(BARE, { now: () => now });
    put('INBOX', ...Array.from({ length: 40 }, (_, at) => at + 1));
    const refused = 'TAG NO [UNAVAILABLE] UID FETCH Server error while fetching messages';
    server.on((command) => {
      const [, set = ''] = /^UID FETCH (\S+)/.exec(command) ?? [];
      const holds = set.split(',').some((run) => {
        const [first = 0, last = first] = run.split(':').map(Number);
        return first <= 17 && last >= 17;
      });
      return poisoned && holds && command.includes('INTERNALDATE') ? [refused] : null;
    });
    await poll();
    expect(uidsIn('INBOX')).toHaveLength(40);
    expect(cursorOf('INBOX')).toMatchObject({ broken: { uids: [17] }, backfill: null });
    const subjectOf = () =>
      mirror.copiesIn('INBOX').find(({ copy }) => copy.id === uidToId(17))?.content.subject;
    expect(subjectOf()).toBeNull();

    poisoned = false;
    now += 25 * HOUR;
    await poll();
    expect(subjectOf()).toBe('message 17');
    expect(cursorOf('INBOX')).not.toHaveProperty('broken');
  });

  it('is not assumed when the server refuses everything: nothing is stored', async () => {
    await start(BARE);
    put('INBOX', ...Array.from({ length: 300 }, (_, at) => at + 1));
    server.on((command) => (command.startsWith('UID FETCH') ? ['TAG NO [UNAVAILABLE] backend down'] : null));
    await expect(poll()).rejects.toMatchObject({
      cause: { failure: 'network', code: 'imap.unavailable' },
    });
    expect(uidsIn('INBOX')).toEqual([]);
    expect(fetches().length).toBeLessThan(100);
  });
});

describe('what is gone', () => {
  it('is verified when VANISHED names too much of a mailbox', async () => {
    await start(QRESYNC);
    const uids = Array.from({ length: 300 }, (_, at) => at + 1);
    const box = put('INBOX', ...uids);
    box.highestModseq = 400n;
    await poll();
    box.messages = box.messages.filter(({ uid }) => uid !== 5);
    box.highestModseq = 500n;
    server.on((command) => (/VANISHED/.test(command) ? ['* VANISHED (EARLIER) 1:200', 'TAG OK'] : null));
    await poll();
    expect(uidsIn('INBOX')).toEqual(uids.filter((uid) => uid !== 5));
  });

  it('is found although VANISHED forgot it, or named uids nobody knew', async () => {
    await start(QRESYNC);
    const box = put('INBOX', 1, 3, 5, 7);
    box.highestModseq = 10n;
    await poll();
    box.messages = box.messages.filter(({ uid }) => uid !== 3);
    box.highestModseq = 11n;
    server.on((command) => (/VANISHED/.test(command) ? ['* VANISHED (EARLIER) 2,4', 'TAG OK'] : null));
    await poll();
    await poll();
    expect(uidsIn('INBOX')).toEqual([1, 5, 7]);
  });

  it('is never taken from VANISHED where that is known to be broken', async () => {
    await start(QRESYNC, { quirks: { vanished: false } });
    const box = put('INBOX', 1, 2, 3);
    box.highestModseq = 10n;
    await poll();
    box.highestModseq = 11n;
    server.on((command) => (/CHANGEDSINCE/.test(command) ? ['* VANISHED (EARLIER) 1:3', 'TAG OK'] : null));
    await poll();
    expect(uidsIn('INBOX')).toEqual([1, 2, 3]);
    expect(server.commands).not.toContainEqual(expect.stringContaining('ENABLE CONDSTORE QRESYNC'));
  });

  it('is not what slid out of the visible part of a mailbox', async () => {
    await start(BARE, { quirks: { vanished: false, limitedWindow: true } });
    const box = put('INBOX', 1, 2, 3, 4, 5);
    await poll();
    box.messages = [3, 5, 6, 7].map((uid) => ({ uid }));
    box.uidNext = 8;
    await poll();
    expect(uidsIn('INBOX')).toEqual([1, 2, 3, 5, 6, 7]);
  });

  it('is cleared when a server runs its uids backwards', async () => {
    await start(BARE);
    const box = put('INBOX', 1, 2, 8);
    await poll();
    box.messages = [{ uid: 1 }, { uid: 2, subject: 'another' }];
    box.uidNext = 3;
    await poll();
    expect(uidsIn('INBOX')).toEqual([1, 2]);
    expect(mirror.copiesIn('INBOX').map(({ content }) => content.subject)).toContain('another');
  });

  it('is settled once where EXISTS counts what SEARCH never finds', async () => {
    await start(BARE);
    put('INBOX', 1, 2).exists = 3;
    await poll();
    await poll();
    const before = mirror.pages.length;
    await poll();
    expect(mirror.pages).toHaveLength(before);
    expect(uidsIn('INBOX')).toEqual([1, 2]);
  });
});

describe('what shows up late', () => {
  it('is waited for when UIDNEXT and EXISTS announce it before it can be fetched', async () => {
    await start(CONDSTORE);
    const box = put('INBOX', 1, 2);
    box.highestModseq = 10n;
    await poll();
    Object.assign(box, { uidNext: 4, exists: 3, highestModseq: 11n });
    await poll();
    box.messages.push({ uid: 3, modseq: 11n });
    await poll();
    expect(uidsIn('INBOX')).toEqual([1, 2, 3]);
  });

  it('is imported again when the server turns out to hold more than was seen', async () => {
    await start(BARE);
    const box = put('INBOX', 1, 2, 5);
    await poll();
    box.messages = [1, 2, 4, 5].map((uid) => ({ uid }));
    await poll();
    expect(uidsIn('INBOX')).toEqual([1, 2, 4, 5]);
  });

  it('is imported although SEARCH names only a few at a time', async () => {
    await start(BARE);
    const uids = Array.from({ length: 12 }, (_, at) => at + 1);
    put('INBOX', ...uids);
    server.on((command) => {
      const [, first, last] = /^UID SEARCH UID ([0-9]+)(?::([0-9]+))?$/.exec(command) ?? [];
      if (first === undefined) return null;
      const found = uids.filter((uid) => uid >= Number(first) && uid <= Number(last ?? first));
      return [`* SEARCH ${found.slice(-5).join(' ')}`.trim(), 'TAG OK'];
    });
    const imported = new Set<number>();
    await poll();
    for (const { page } of mirror.pages)
      for (const change of page.changes)
        if (change.kind === 'message' && change.data.op !== 'placed')
          imported.add(Number(change.data.copy.id));
    expect([...imported]).toHaveLength(12);
  });
});

describe('the list of mailboxes', () => {
  const boxes = () => [...mirror.state.view.mailboxes.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const names = (pick: (box: MailboxUpsert) => unknown) =>
    Object.fromEntries(boxes().map((box) => [box.path, pick(box)]));

  it('loses nothing when a line of LIST is missing', async () => {
    await start(BARE);
    put('Work', 1, 2);
    await poll();
    server.on((command) => (command === 'LIST "" "*"' ? ['* LIST () "/" INBOX', 'TAG OK'] : null));
    await poll();
    expect(uidsIn('Work')).toEqual([1, 2]);
  });

  it('follows MAILBOXID through a rename, also of an empty mailbox', async () => {
    await start(`${QRESYNC} OBJECTID`);
    Object.assign(put('Worn'), { uidValidity: 70 });
    await poll();
    const before = names(({ mailbox }) => mailbox);
    const box = server.mailboxes.get('Worn');
    server.mailboxes.delete('Worn');
    if (box) server.mailboxes.set('Work', box);
    await poll();
    expect(names(({ mailbox }) => mailbox)).toEqual({ INBOX: before.INBOX, Work: before.Worn });
  });

  it('of Gmail syncs each message once, under its X-GM-MSGID', async () => {
    await start(`${QRESYNC} X-GM-EXT-1 SPECIAL-USE`);
    for (const [path, attributes] of [
      ['[Gmail]/Alle', '\\All'],
      ['[Gmail]/Spam', '\\Junk'],
      ['[Gmail]/Papierkorb', '\\Trash'],
      ['Work', ''],
    ])
      server.mailboxes.set(
        path ?? '',
        scriptMailbox({ attributes: attributes ?? '', messages: [{ uid: 4 }] }),
      );
    server.on((command) =>
      /^UID FETCH .*X-GM-MSGID/.test(command)
        ? [
            fetchRow(1, { uid: 4 }, command).replace('UID 4', 'UID 4 X-GM-MSGID 1278455344230334865'),
            'TAG OK',
          ]
        : null,
    );
    await poll();
    expect(names(({ selectable }) => selectable)).toEqual({
      INBOX: false,
      Work: false,
      '[Gmail]/Alle': true,
      '[Gmail]/Papierkorb': true,
      '[Gmail]/Spam': true,
    });
    expect(mirror.copiesIn('[Gmail]/Alle')[0]).toMatchObject({
      key: '1278455344230334865',
      keyKind: 'message',
    });
  });

  it('takes roles from names only where the server has no SPECIAL-USE', async () => {
    await start(BARE);
    put('Gesendet');
    await poll();
    expect(names(({ role }) => role)).toEqual({ INBOX: 'inbox', Gesendet: 'sent' });
    await mirror.close();
    await server.close();
    await start(`${BARE} SPECIAL-USE`);
    put('Gesendet');
    server.mailboxes.set('X', scriptMailbox({ attributes: '\\Sent' }));
    await poll();
    expect(names(({ role }) => role)).toEqual({ INBOX: 'inbox', Gesendet: null, X: 'sent' });
  });
});
