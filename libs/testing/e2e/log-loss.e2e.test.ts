/** The log is lost, cut, or put back from a backup, and so is the database: each time the product repairs itself, loudly, and the view ends true. */
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DoctorReport, partitionOf } from '@mailstream/contracts';
import { createRandom, deliver, demoMail, SERVICES } from '@mailstream/devstack';
import { refold } from '@mailstream/fold';
import { hasDovecot } from '@mailstream/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ChangeRecorder } from './change-recorder.ts';
import { type Churn, createChurn } from './churn.ts';
import { startUnits, untilMailFlows } from './faults.ts';
import { type ImapMailbox, type System, startSystem } from './harness.ts';

let system: System;
let mailbox: ImapMailbox;
let churn: Churn;
let recorder: ChangeRecorder;
/** When the test began, as incidents tell time. */
let began: string;
const recoveries: string[] = [];

describe.skipIf(!hasDovecot())('when', () => {
  beforeAll(async () => {
    system = await startSystem({ users: ['ada@example.com', 'bob@example.com'] });
    recorder = await system.recordChanges();
    fill('ada@example.com', 600);
    mailbox = await system.addMailbox('ada@example.com');
    await system.settled(60_000);
    churn = await createChurn(mailbox, createRandom(7));
    await moreHappens();
  });

  afterAll(async () => {
    churn?.close();
    await system?.stop();
    process.stdout.write(`mail flows again, seconds:\n${recoveries.join('\n')}\n`);
  });

  beforeEach(() => {
    began = new Date().toISOString();
  });

  it('the view is emptied and the log folded again, it is the same row by row, and nobody is told anything', async () => {
    const rows = await viewRows();
    const told = recorder.changes.length;
    await refold(system.db, 'projector', async (tx) => {
      await tx.query(`truncate ${(await viewTables()).map((table) => `view.${table}`).join(', ')}`);
    });
    await system.settled(60_000);
    expect(await viewRows()).toEqual(rows);
    expect(recorder.changes.slice(told)).toEqual([]);
    await moreHappens();
  });

  it('the log is deleted in the middle of an import', async () => {
    fill('bob@example.com', 1_500);
    const importing = await system.addMailbox('bob@example.com');
    await system.until('some of it is imported', async () => {
      const [row] = await system.db.query<{ some: boolean }>(
        'select count(*) > 300 as some from view.copy where account = $1',
        [importing.account],
      );
      return row?.some ?? false;
    });
    await deleteLog();
    await churn.act(10);
    await isRepaired('recreated');
    await system.expectViewEqualsMailbox(importing);
    await system.expectChangesTellView(recorder, importing);
  });

  it('the log is deleted while no service runs', async () => {
    await stopUnits(SERVICES);
    await deleteLog();
    await churn.act(10);
    await startUnits(system.stack, SERVICES);
    await isRepaired('recreated');
  });

  it('the log has lost its end', async () => {
    const putBack = await backUp('nats-server', 'MAIL');
    await moreHappens();
    await putBack();
    await isRepaired('truncated');
  });

  it('the log has other events than those that were folded', async () => {
    const putBack = await backUp('nats-server', 'MAIL');
    await moreHappens();
    const { last } = await system.bus.state('MAIL');
    await stopUnits(['mailbox-projector']);
    await putBack();
    await system.until('the log has grown past where the projector stands', async () => {
      await churn.act(5);
      await system.sync(mailbox);
      return (await system.bus.state('MAIL')).last > last;
    });
    await startUnits(system.stack, ['mailbox-projector']);
    await isRepaired('restored');
  });

  it('the database is put back from a backup', async () => {
    const putBack = await backUp('postgres');
    await moreHappens();
    await putBack();
    await mailFlows();
    await isTrue();
    expect(projectorLog()).toContain('folding again in silence');
    expect(await incidentKinds()).toEqual([]);
  });

  it('all streams are put back from a backup', async () => {
    const putBack = await backUp('nats-server');
    await moreHappens();
    const told = recorder;
    await putBack();
    recorder = await continued(told);
    await isRepaired('truncated');
  });

  it('all streams are gone', async () => {
    const told = recorder;
    await stopUnits(['nats-server']);
    rmSync(storage('nats-server'), { recursive: true });
    await churn.act(10);
    await startUnits(system.stack, ['nats-server']);
    recorder = await continued(told);
    await isRepaired('recreated');
  });
});

function fill(user: string, count: number): void {
  deliver(system.dovecot().maildir(user), demoMail({ seed: count, count, newest: new Date() }));
}

/** The mailbox changes, and all of it is folded and told. */
async function moreHappens(): Promise<void> {
  await churn.act(30);
  await isTrue();
}

async function isTrue(): Promise<void> {
  await system.expectViewEqualsMailbox(mailbox, 60_000);
  await system.expectChangesTellView(recorder, mailbox);
}

/** Mail flows again without anybody's help, the view is true, and what was repaired is to be seen by everybody who looks. */
async function isRepaired(kind: string): Promise<void> {
  await mailFlows();
  await isTrue();
  expect(await incidentKinds()).toEqual([kind]);
  const { findings } = await system.rest.get(DoctorReport, '/v1/doctor');
  expect(findings.find(({ check }) => check === 'the log')).toMatchObject({
    level: 'warn',
    message: expect.stringContaining(kind),
  });
  expect(projectorLog()).toContain(`"kind":"${kind}"`);
}

async function mailFlows(): Promise<void> {
  const ms = await untilMailFlows(system, mailbox, churn, performance.now());
  recoveries.push(`  ${(ms / 1_000).toFixed(1)} ${expect.getState().currentTestName}`);
}

/** What the projector repaired in the mailbox's partition since the test began. */
async function incidentKinds(): Promise<string[]> {
  const { incidents } = await system.status();
  const partition = Number(partitionOf(mailbox.account));
  const ours = incidents.filter(
    (each) => each.fold === 'projector' && each.partition === partition && each.at > began,
  );
  return [...new Set(ours.map((each) => each.kind))];
}

/** What the projector logged since the test began. */
function projectorLog(): string {
  const lines = readFileSync(system.stack.unit('mailbox-projector').child().logFile, 'utf8').split('\n');
  return lines.filter((line) => (/"time":"([^"]*)"/.exec(line)?.[1] ?? '') > began).join('\n');
}

/** As an operator does it. */
async function deleteLog(): Promise<void> {
  await system.bus.request('$JS.API.STREAM.DELETE.MAIL', {}, 10_000);
}

async function stopUnits(names: readonly Parameters<typeof system.stack.unit>[0][]): Promise<void> {
  await Promise.all(names.map((name) => system.stack.unit(name).stop()));
}

/** Where a server keeps its data, or one stream. */
function storage(name: 'nats-server' | 'postgres', stream?: string): string {
  const dir = dirname(system.stack.unit(name).child().logFile);
  if (name === 'postgres') return join(dir, 'data');
  return join(
    dir,
    'jetstream',
    ...(stream === undefined ? [] : ['jetstream', 'mailstream', 'streams', stream]),
  );
}

/** Copies what a server stores, and returns what puts it back. The services run on meanwhile. */
async function backUp(name: 'nats-server' | 'postgres', stream?: string): Promise<() => Promise<void>> {
  const data = storage(name, stream);
  const copy = `${storage(name)}-backup`;
  await stopUnits([name]);
  // Keeps owners and modes, which PostgreSQL insists on.
  execFileSync('cp', ['-a', data, copy]);
  await startUnits(system.stack, [name]);
  await system.until('the services have found it again', servicesAreReady);
  return async () => {
    await stopUnits([name]);
    rmSync(data, { recursive: true });
    renameSync(copy, data);
    await startUnits(system.stack, [name]);
  };
}

async function servicesAreReady(): Promise<boolean> {
  const ready = SERVICES.map(async (name) => (await fetch(`${system.stack.unit(name).url}/readyz`)).ok);
  return (await Promise.all(ready)).every(Boolean);
}

/** A subscriber that had heard all there was, and goes on with a stream of changes that was cut or made anew. */
async function continued(before: ChangeRecorder): Promise<ChangeRecorder> {
  const known = new Set(before.changes.map(({ event }) => event.id));
  const old = [...before.changes];
  await system.until('there is a stream of changes', () => system.bus.state('CHANGES'));
  const fresh = await system.recordChanges();
  return {
    ...fresh,
    get changes() {
      return [...old, ...fresh.changes.filter(({ event }) => !known.has(event.id))];
    },
  };
}

async function viewTables(): Promise<string[]> {
  const rows = await system.db.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'view' and tablename <> 'migrations' order by 1",
  );
  return rows.map(({ name }) => name);
}

/** Every row of the view. */
async function viewRows(): Promise<string[]> {
  const rows: string[] = [];
  for (const table of await viewTables()) {
    const found = await system.db.query<{ row: string }>(
      `select to_jsonb(t)::text as row from view.${table} t order by 1`,
    );
    rows.push(...found.map(({ row }) => `${table} ${row}`));
  }
  return rows;
}
