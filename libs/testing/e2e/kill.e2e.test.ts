/** `kill -9` of every process, at seeded points of an import and of everyday changes: nothing is lost, nothing is told twice. */
import { createRandom, deliver, demoMail, type Random, type UnitName } from '@mailstream/devstack';
import { hasDovecot } from '@mailstream/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChangeRecorder } from './change-recorder.ts';
import { createChurn } from './churn.ts';
import { killRounds } from './env.ts';
import { endedUnits, killAndRestart, UNITS, untilMailFlows } from './faults.ts';
import { type ImapMailbox, type System, startSystem } from './harness.ts';

const FOLDERS = ['INBOX', ...Array.from({ length: 15 }, (_, n) => `Folder ${n}`)];
const PER_FOLDER = 350;
const MESSAGES = FOLDERS.length * PER_FOLDER;
const ROUNDS = Array.from({ length: killRounds() }, (_, round) => round);

/** Each process alone, and all of them at once. */
const TARGETS: readonly (readonly UnitName[])[] = [...UNITS.map((name) => [name]), UNITS];

let system: System;
let recorder: ChangeRecorder;
/** Milliseconds from the start of what was killed to when the API showed progress again, by what was killed. */
const recoveries = new Map<string, number[]>();

describe.skipIf(!hasDovecot())('kill -9', () => {
  beforeAll(async () => {
    const users = ROUNDS.map(importUser);
    // One mailbox at a time, and each waits until the one before is in the view: the import is to last until the last kill.
    const env = { MAILSTREAM_MAX_LAG: '1', MAILSTREAM_SCOPES_IN_FLIGHT: '2' };
    system = await startSystem({ users: [...users, 'daily@example.com'], env });
    recorder = await system.recordChanges();
  });

  afterAll(async () => {
    await system?.stop();
    process.stdout.write(`live again after kill -9, seconds:\n${summary()}\n`);
  });

  it.each(ROUNDS)('in the middle of an import (seed %i)', { timeout: 300_000 }, async (seed) => {
    const random = createRandom(seed);
    const user = importUser(seed);
    for (const folder of FOLDERS) fill(user, PER_FOLDER, folder);
    const mailbox = await system.addMailbox(user);
    const churn = await createChurn(mailbox, random);
    const targets = shuffled(TARGETS, random);
    for (const [index, names] of targets.entries()) {
      const point = Math.floor((MESSAGES * (index + random.next())) / (targets.length + 1));
      await untilImported(mailbox, point);
      // Half of them as soon as something new is in the log, so most likely not in the view yet.
      if (random.chance(0.5)) await untilLogGrows();
      const before = await imported(mailbox);
      expect(before, 'the import went on for too short').toBeLessThan(MESSAGES);
      const startedAt = await killAndRestart(system.stack, names, () => churn.act(8));
      await untilImported(mailbox, before + 1);
      await system.until('the API answers', () => system.status());
      note(names, 'import', performance.now() - startedAt);
      expect(endedUnits(system.stack)).toEqual([]);
    }
    churn.close();
    await system.expectViewEqualsMailbox(mailbox);
    await system.expectChangesTellView(recorder, mailbox);
  });

  describe('while things change', () => {
    let mailbox: ImapMailbox;

    beforeAll(async () => {
      for (const folder of FOLDERS) fill('daily@example.com', 30, folder);
      mailbox = await system.addMailbox('daily@example.com');
      await system.settled(60_000);
    });

    it.each(TARGETS.map((names) => [nameOf(names), names] as const))('%s', async (name, names) => {
      const random = createRandom(name.length);
      const churn = await createChurn(mailbox, random);
      await churn.act(20);
      await Promise.all([untilLogGrows(), system.sync(mailbox)]);
      const startedAt = await killAndRestart(system.stack, names, () => churn.act(20));
      note(names, 'changes', await untilMailFlows(system, mailbox, churn, startedAt));
      churn.close();
      await system.expectViewEqualsMailbox(mailbox);
      await system.expectChangesTellView(recorder, mailbox);
      expect(endedUnits(system.stack)).toEqual([]);
    });
  });
});

function importUser(round: number): string {
  return `import-${round}@example.com`;
}

function fill(user: string, count: number, folder: string): void {
  const seed = FOLDERS.indexOf(folder);
  deliver(system.dovecot().maildir(user), demoMail({ seed, count, newest: new Date(), folder }));
}

/** The server may have been killed a moment ago, and this process not be connected again. */
async function untilLogGrows(): Promise<void> {
  let before: bigint | undefined;
  await system.until('the log grows', async () => {
    const { last } = await system.bus.state('MAIL');
    before ??= last;
    return last > before;
  });
}

async function imported({ account }: ImapMailbox): Promise<number> {
  const [row] = await system.db.query<{ count: number }>(
    'select count(*)::int as count from view.copy where account = $1',
    [account],
  );
  return row?.count ?? 0;
}

async function untilImported(mailbox: ImapMailbox, count: number): Promise<void> {
  await system.until(
    `${count} messages are imported`,
    async () => {
      const have = await imported(mailbox);
      if (have < count) throw new Error(`only ${have} are`);
    },
    60_000,
  );
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, order: random.next() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

function nameOf(names: readonly UnitName[]): string {
  return names.length === 1 ? String(names[0]) : 'all of them';
}

function note(names: readonly UnitName[], when: string, ms: number): void {
  const key = `${nameOf(names)}, ${when}`;
  recoveries.set(key, [...(recoveries.get(key) ?? []), ms]);
}

function summary(): string {
  return [...recoveries]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, times]) => `  ${key.padEnd(28)} ${times.map((ms) => (ms / 1_000).toFixed(1)).join('  ')}`)
    .join('\n');
}
