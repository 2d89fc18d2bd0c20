/** A mailbox through its life: after each step the view is what a plain IMAP client lists, and CHANGES told each change once. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from '@mailstream/client';
import { Account, MessageView, pageOf, subjects } from '@mailstream/contracts';
import { deliver, demoMail } from '@mailstream/devstack';
import { DEFAULT_TENANT } from '@mailstream/runtime';
import { createImapWorld, hasDovecot, listImap, plainImap, wireName } from '@mailstream/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publishBare } from './bare-nats.ts';
import {
  type ChangeRecorder,
  countVerbs,
  foldMessages,
  messageChanges,
  verbsByMessage,
} from './change-recorder.ts';
import { type ImapMailbox, type System, startSystem } from './harness.ts';

const ADA = 'ada@example.com';
const BOB = 'bob@example.com';

/** No poll helps: what is noticed here was pushed or asked for. */
const env = { MAILSTREAM_POLL_SECONDS: '3600' };

let system: System;
let recorder: ChangeRecorder;
let ada: ImapMailbox;
let bob: ImapMailbox;

/** The view is the mailbox, and whoever knows only the changes has the view. */
async function expectAllTrue(mailbox: ImapMailbox, timeoutMs?: number): Promise<void> {
  await system.expectViewEqualsMailbox(mailbox, timeoutMs);
  await system.expectChangesTellView(recorder, mailbox);
}

/** Lets something happen to Ada's mailbox, waits until all is true again, and returns what was told meanwhile. */
async function changesOf(happening: () => Promise<unknown> | unknown): Promise<readonly Change[]> {
  const before = recorder.changes.length;
  await happening();
  await expectAllTrue(ada);
  return recorder.changes.slice(before);
}

/** How often each verb was told of messages. */
const messageVerbs = (changes: readonly Change[]) =>
  countVerbs(changes.filter(({ event }) => event.type.startsWith('mailstream.message.')));

const originsOf = (changes: readonly Change[]) => [
  ...new Set(messageChanges(changes).map(({ data }) => data.origin)),
];

/** Uids in a folder of messages that can be recognised after a move, without these flags. */
async function pickUids(path: string, count: number, without: readonly string[] = []): Promise<number[]> {
  const folder = (await listImap(ada.login)).find((each) => each.path === path);
  const picked = (folder?.messages ?? [])
    .filter(({ flags, messageId }) => messageId !== null && !flags.some((flag) => without.includes(flag)))
    .slice(0, count);
  expect(picked).toHaveLength(count);
  return picked.map(({ uid }) => uid);
}

/** Another mail program does something to messages of one folder. */
async function act(path: string, ...commands: string[]): Promise<void> {
  const client = await plainImap(ada.login);
  await client.command(`SELECT ${wireName(path)}`);
  for (const command of commands) await client.command(command);
  client.close();
}

/** Something arrives; returns its subject. */
async function arrive(mailbox: ImapMailbox, path: string): Promise<string> {
  const world = await createImapWorld(mailbox.login);
  const subject = `arrival-${process.hrtime.bigint()}`;
  await world.deliver(path, { subject });
  world.close();
  return subject;
}

const search = ({ account }: ImapMailbox, text: string) =>
  system.rest.get(pageOf(MessageView), `/v1/messages?account=${account}&text=${text}`);

const untilFound = (mailbox: ImapMailbox, subject: string) =>
  system.until(
    `${subject} is in the view`,
    async () => (await search(mailbox, subject)).items.length === 1,
    20_000,
  );

describe.skipIf(!hasDovecot())('a mailbox', () => {
  beforeAll(async () => {
    system = await startSystem({ users: [ADA, BOB], env });
    recorder = await system.recordChanges();
    deliver(system.dovecot().maildir(ADA), demoMail({ seed: 1, count: 10_000, newest: new Date() }));
  });

  afterAll(() => system?.stop());

  it('of 10,000 messages in seven folders is imported, each message told once', async () => {
    ada = await system.addMailbox(ADA);
    await expectAllTrue(ada, 60_000);
    expect(messageVerbs(recorder.changes)).toEqual({ 'message.created': 10_000 });
    expect(originsOf(recorder.changes)).toEqual(['backfill']);
  });

  it('gets 100 new messages', async () => {
    const changes = await changesOf(() => {
      const newest = new Date();
      deliver(ada.maildir, demoMail({ seed: 2, count: 60, newest, folder: 'INBOX' }));
      deliver(ada.maildir, demoMail({ seed: 3, count: 40, newest, folder: 'Projects/Mailstream' }));
    });
    expect(messageVerbs(changes)).toEqual({ 'message.created': 100 });
    expect(originsOf(changes)).toEqual(['live']);
  });

  it('has 500 flags changed', async () => {
    const inInbox = await pickUids('INBOX', 300, ['flagged']);
    const inArchive = await pickUids('Archive', 200, ['answered']);
    const changes = await changesOf(async () => {
      await act('INBOX', `UID STORE ${inInbox} +FLAGS.SILENT (\\Flagged)`);
      await act('Archive', `UID STORE ${inArchive} +FLAGS.SILENT (\\Answered)`);
    });
    expect(messageVerbs(changes)).toEqual({ 'message.updated': 500 });
    for (const { data } of messageChanges(changes)) expect(data.changed).toEqual(['flags', 'copies']);
  });

  it('has 50 messages expunged', async () => {
    const inInbox = await pickUids('INBOX', 30);
    const inSent = await pickUids('Sent', 20);
    const changes = await changesOf(async () => {
      const expunge = (uids: number[]) => [
        `UID STORE ${uids} +FLAGS.SILENT (\\Deleted)`,
        `UID EXPUNGE ${uids}`,
      ];
      await act('INBOX', ...expunge(inInbox));
      await act('Sent', ...expunge(inSent));
    });
    expect(messageVerbs(changes)).toMatchObject({ 'message.deleted': 50 });
    // Whoever looks between the two commands of another program sees the flag first.
    const gone = [...verbsByMessage(changes).values()];
    expect(gone).toHaveLength(50);
    for (const verbs of gone) expect(['deleted', 'updated deleted']).toContain(verbs.join(' '));
  });

  it('has 20 messages moved, which keep their ids', async () => {
    const uids = await pickUids('INBOX', 20);
    const before = foldMessages(recorder.changes, ada.account);
    const changes = await changesOf(() => act('INBOX', `UID MOVE ${uids} "Newsletters"`));
    const told = verbsByMessage(changes);
    expect(told.size).toBe(20);
    const after = foldMessages(recorder.changes, ada.account);
    for (const [id, verbs] of told) {
      // The two folders are read one by one: it may be seen to go before it is seen to arrive, or in both for a moment.
      expect(['moved', 'deleted moved', 'moved moved']).toContain(verbs.join(' '));
      expect(before.get(id)?.copies.map(({ path }) => path)).toEqual(['INBOX']);
      expect(after.get(id)?.copies.map(({ path }) => path)).toEqual(['Newsletters']);
    }
    const moved = messageChanges(changes).filter(({ type }) => type === 'mailstream.message.moved.v1');
    for (const [id, { copies }] of before) {
      const first = moved.find(({ data }) => data.state.id === id);
      if (first) expect(first.data.from).toEqual(copies.map(({ mailbox }) => mailbox));
    }
  });

  it('has a folder renamed, which is one change and none of messages', async () => {
    const changes = await changesOf(async () => {
      const world = await createImapWorld(ada.login);
      await world.renameMailbox('Büro & Reisen', 'Reisen 2026');
      world.close();
    });
    expect(messageVerbs(changes)).toEqual({});
    const mailboxes = changes.filter(({ event }) => event.type.startsWith('mailstream.mailbox.'));
    expect(mailboxes).toMatchObject([
      {
        event: {
          type: 'mailstream.mailbox.updated.v1',
          data: { changed: ['path', 'name'], state: { path: 'Reisen 2026' } },
        },
      },
    ]);
  });

  it('has a UIDVALIDITY reset: ids stay and nothing is told, but of messages that no Message-ID tells apart', async () => {
    const idsInArchive = (isWanted: (message: MessageView) => boolean) =>
      [...foldMessages(recorder.changes, ada.account).values()]
        .filter((message) => message.copies.some(({ path }) => path === 'Archive') && isWanted(message))
        .map(({ id }) => id)
        .sort();
    const isNamed = ({ messageId }: MessageView) => messageId !== null;
    const named = idsInArchive(isNamed);
    const nameless = idsInArchive((message) => !isNamed(message));
    const changes = await changesOf(() =>
      system.restartDovecot({ meanwhile: () => resetUidValidity(join(ada.maildir, '.Archive')) }),
    );
    expect(idsInArchive(isNamed)).toEqual(named);
    expect(nameless.length).toBeGreaterThan(0);
    expect(messageVerbs(changes)).toEqual({
      'message.created': nameless.length,
      'message.deleted': nameless.length,
    });
  });

  it('is watched: what arrives in the inbox is told without being asked for', async () => {
    await untilFound(ada, await arrive(ada, 'INBOX'));
  });

  it('is looked at when any NATS client publishes a hint, with nothing in it', async () => {
    const subject = await arrive(ada, 'Archive');
    await publishBare(system.stack.natsUrl, `sync.requested.${DEFAULT_TENANT}.${ada.account}.push`);
    await untilFound(ada, subject);
  });

  it('stays as it is while the account is paused, and catches up when it is resumed', async () => {
    const pause = await system.rest.send(Account, 'POST', `/v1/accounts/${ada.account}/pause`);
    expect(pause).toMatchObject({ state: 'paused', reason: 'paused by a person' });
    const subject = await arrive(ada, 'INBOX');
    await system.sync(ada);
    await system.until('the hint was handled', async () => (await system.status()).pending.hints === 0);
    expect((await system.status()).pending).toEqual({ hints: 0, live: 0, backfill: 0 });
    expect((await search(ada, subject)).items).toEqual([]);
    await system.rest.send(Account, 'POST', `/v1/accounts/${ada.account}/resume`);
    await untilFound(ada, subject);
    await system.expectViewEqualsMailbox(ada);
  });

  it('shares the server with another, and nothing else', async () => {
    // The same mail as Ada's first fifty.
    deliver(system.dovecot().maildir(BOB), demoMail({ seed: 1, count: 50, newest: new Date() }));
    const before = recorder.changes.length;
    bob = await system.addMailbox(BOB);
    await expectAllTrue(bob);
    const changes = recorder.changes.slice(before);
    expect(new Set(changes.map(({ event }) => event.account))).toEqual(new Set([bob.account]));
    expect(messageVerbs(changes)).toEqual({ 'message.created': 50 });
    const subject = await arrive(bob, 'INBOX');
    await untilFound(bob, subject);
    expect((await search(ada, subject)).items).toEqual([]);
  });

  it('is the same after all processes were stopped and started, and so are its changes', async () => {
    const changes = await changesOf(async () => {
      await system.stack.stop();
      await arrive(ada, 'INBOX');
      await arrive(ada, 'Sent');
      for (const unit of system.stack.units) await unit.start();
    });
    expect(messageVerbs(changes)).toEqual({ 'message.created': 2 });
  });

  it('is gone when its account is removed; the other stays', async () => {
    const before = recorder.changes.length;
    expect((await system.rest.call('DELETE', `/v1/accounts/${ada.account}`)).status).toBe(202);
    await system.until('there is no such account', async () =>
      expect((await system.rest.call('GET', `/v1/accounts/${ada.account}`)).status).toBe(404),
    );
    const none = { message: 0n, copy: 0n, mailbox: 0n, thread: 0n, cursor: 0n, run: 0n };
    expect(await rowsOf(ada.account)).toEqual(none);
    const at = { tenant: DEFAULT_TENANT, account: ada.account };
    expect(await system.bus.last('MAIL', subjects.factsOf(at))).toBeNull();
    for (const filter of subjects.syncOf(at)) expect(await system.bus.last('SYNC', filter)).toBeNull();
    const left = system.bus.last('CHANGES', subjects.changesOf(at.tenant, at.account));
    expect((await left)?.subject).toBe(subjects.change(at, 'account', 'erased'));
    expect(await system.bus.last('CHANGES', subjects.change(at, 'message', 'created'))).toBeNull();
    await expectAllTrue(bob);
    const told = recorder.changes.slice(before).filter(({ event }) => event.account === ada.account);
    expect(countVerbs(told)).toEqual({ 'account.updated': 1, 'account.removed': 1, 'account.erased': 1 });
    const sealed = await system.db.query('select from control.credential where account = $1', [ada.account]);
    expect(sealed).toEqual([]);
    expect((await system.rest.call('GET', `/v1/messages?account=${ada.account}`)).status).toBe(404);
  });
});

/** A restore, as the server sees it: the same files, and no memory of their uids. */
function resetUidValidity(folder: string): void {
  for (const file of readdirSync(folder)) if (file.startsWith('dovecot.index')) rmSync(join(folder, file));
  const list = join(folder, 'dovecot-uidlist');
  const [header = ''] = readFileSync(list, 'utf8').split('\n');
  const next = header.replace(/ V([0-9]+) N[0-9]+/, (_, value: string) => ` V${Number(value) + 1} N1`);
  expect(next).not.toBe(header);
  writeFileSync(list, `${next}\n`);
}

async function rowsOf(account: string): Promise<Record<string, bigint>> {
  const counts: Record<string, bigint> = {};
  for (const table of ['message', 'copy', 'mailbox', 'thread', 'cursor', 'run']) {
    const [row] = await system.db.query<{ rows: bigint }>(
      `select count(*) as rows from view.${table} where account = $1`,
      [account],
    );
    counts[table] = row?.rows ?? -1n;
  }
  return counts;
}
