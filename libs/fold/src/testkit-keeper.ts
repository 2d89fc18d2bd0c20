/** A fold for tests that keeps a small view and its cursors, as the projector does. */
import { EVENT_TYPES } from '@mailstream/contracts';
import type { Db, Tx } from '@mailstream/db';
import type { Emission, FoldDefinition, Page, Scope } from './port.ts';

export async function createKeeperTables(db: Db): Promise<void> {
  await db.query(`
    CREATE TABLE copy (
      account text, mailbox text, uid int, value text, version bigint, PRIMARY KEY (account, mailbox, uid)
    );
    CREATE TABLE cursor (
      tenant text, account text, scope text, page text, cursor text, PRIMARY KEY (account, scope)
    )`);
}

/** The value a copy has: its flags, joined. */
interface Copy {
  readonly account: string;
  readonly mailbox: string;
  readonly uid: number;
  readonly value: string | null;
  readonly version: bigint;
}

/** A fold that keeps copies and cursors, as the projector does, and announces each fact about a message once. */
export function createKeeper(name = 'keeper'): FoldDefinition {
  return {
    name,
    facts: ['message.changed', 'cursor.*', 'account.*'],
    async apply(tx, pages) {
      const copies = latestCopies(pages);
      await saveCopies(tx, copies);
      await saveCursors(tx, pages);
      return { emissions: pages.flatMap(announce) };
    },
    skipped: ({ tenant, account, sequence, subject, reason }) => [
      {
        to: 'changes',
        tenant,
        account,
        entity: 'message',
        verb: 'skipped',
        sequence,
        data: { sequence: String(sequence), subject, reason },
      },
    ],
    async cursors(tx, scopes) {
      const rows = await tx.query<Scope & { cursor: string }>(
        'SELECT tenant, account, scope, cursor FROM cursor',
      );
      return scopes.map((wanted) => {
        const row = rows.find((each) => each.account === wanted.account && each.scope === wanted.scope);
        return { ...wanted, cursor: row ? JSON.parse(row.cursor) : null };
      });
    },
  };
}

function latestCopies(pages: readonly Page[]): Copy[] {
  const copies = new Map<string, Copy>();
  for (const { account, facts } of pages) {
    for (const { event, sequence } of facts) {
      if (event.type !== EVENT_TYPES.messageChanged || event.data.op === 'placed') continue;
      const { mailbox } = event.data.copy;
      const uid = Number(event.data.copy.id);
      const value = event.data.op === 'removed' ? null : (event.data.flags ?? []).join();
      copies.set(`${account}/${mailbox}/${uid}`, { account, mailbox, uid, value, version: sequence });
    }
  }
  return [...copies.values()];
}

async function saveCopies(tx: Tx, copies: readonly Copy[]): Promise<void> {
  const gone = copies.filter((copy) => copy.value === null);
  const kept = copies.filter((copy) => copy.value !== null);
  const keys = (rows: readonly Copy[]) => [
    rows.map((row) => row.account),
    rows.map((row) => row.mailbox),
    rows.map((row) => row.uid),
  ];
  await tx.query(
    `DELETE FROM copy WHERE (account, mailbox, uid) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::int[]))`,
    keys(gone),
  );
  await tx.query(
    `INSERT INTO copy SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::bigint[])
     ON CONFLICT (account, mailbox, uid) DO UPDATE SET value = excluded.value, version = excluded.version`,
    [...keys(kept), kept.map((row) => row.value), kept.map((row) => row.version)],
  );
}

async function saveCursors(tx: Tx, pages: readonly Page[]): Promise<void> {
  for (const { tenant, account, cursor } of pages) {
    if (!cursor) continue;
    const { scope, page, cursor: value } = cursor.event.data;
    await tx.query(
      `INSERT INTO cursor VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (account, scope) DO UPDATE SET page = excluded.page, cursor = excluded.cursor`,
      [tenant, account, scope, page, JSON.stringify(value)],
    );
  }
}

function announce({ tenant, account, facts }: Page): Emission[] {
  const messages = facts.filter(({ event }) => event.type === EVENT_TYPES.messageChanged);
  return messages.map((fact) => ({
    to: 'changes',
    tenant,
    account,
    entity: 'message',
    verb: 'updated',
    sequence: fact.sequence,
    data: { version: String(fact.version), origin: 'live', changed: [], state: fact.event.data },
  }));
}

/** The keeper's copies, one line each. */
export async function readCopies(db: Db): Promise<string[]> {
  const rows = await db.query<Copy>('SELECT * FROM copy ORDER BY account, mailbox, uid');
  return rows.map((row) => `${row.account} ${row.mailbox} ${row.uid} ${row.value}`);
}
