/** For tests: a view in a database of its own, folded without an engine, and questions to its tables. */
import { createDb, type Db, databaseUrlsOf, openDatabase, type Tenants } from '@mailstream/db';
import type { Emission, Page } from '@mailstream/fold';
import { createLogger } from '@mailstream/runtime';
import { createDatabase } from '@mailstream/testing';
import { PROJECTOR_SCHEMAS, VIEW_SCHEMA } from './migrate.ts';
import { projector } from './projector.ts';

const TABLES = ['account', 'mailbox', 'message', 'copy', 'thread', 'thread_ref', 'cursor', 'run'] as const;

const logger = createLogger('test', 'silent');

export interface TestView {
  /** Of its database, for the owner of the tables. */
  readonly url: string;
  /** Logged in as the owner of the tables. */
  readonly owner: Db;
  /** As the projector has them. */
  readonly db: Db;
  readonly tenants: Tenants;
  /** Folds pages in one transaction. */
  fold(...pages: readonly Page[]): Promise<readonly Emission[]>;
  /** How many rows there are of these, for example `view.copy where derived`. */
  count(what: string): Promise<number>;
  empty(): Promise<void>;
  /** The statement that empties it. */
  readonly truncate: string;
  /** Every row of every table, in order. */
  rows(): Promise<Readonly<Record<string, string[]>>>;
  /** Counters that are not what counting the rows gives, and rows that hang in the air; nothing when all is well. */
  faults(): Promise<string[]>;
  /** Deletes it with its database. */
  drop(): Promise<void>;
}

export async function createTestView(): Promise<TestView> {
  const database = await createDatabase();
  const { url } = database;
  const { db, tenants, close } = await openDatabase({
    urls: databaseUrlsOf(url),
    schemas: PROJECTOR_SCHEMAS,
    schema: VIEW_SCHEMA.schema,
    applicationName: 'test',
    logger,
  });
  const owner = createDb({ url, max: 2, applicationName: 'test owner', logger });
  const truncate = `truncate ${TABLES.map((table) => `view.${table}`).join(', ')}`;
  return {
    url,
    owner,
    db,
    tenants,
    truncate,

    async fold(...pages) {
      const { emissions } = await db.tx((tx) => projector.apply(tx, pages));
      return emissions;
    },

    async count(what) {
      const [row] = await db.query<{ n: number }>(`select count(*)::int as n from ${what}`);
      return row?.n ?? -1;
    },

    async empty() {
      await owner.query(truncate);
    },

    async rows() {
      const all: Record<string, string[]> = {};
      for (const table of TABLES) {
        const rows = await db.query<{ row: string }>(
          `select to_jsonb(t)::text as row from view.${table} t order by 1`,
        );
        all[table] = rows.map(({ row }) => row);
      }
      return all;
    },

    async faults() {
      const rows = await db.query<{ fault: string }>(FAULTS);
      return rows.map(({ fault }) => fault);
    },

    async drop() {
      await Promise.all([owner.close(), close()]);
      await database.drop();
    },
  };
}

const FAULTS = `
with counted as (
  select c.account, c.mailbox, count(distinct c.message)::int as messages,
    count(distinct c.message) filter (where not 'seen' = any(c.flags))::int as unread
  from view.copy c group by 1, 2
), threads as (
  select thread, count(*)::int as messages, count(*) filter (where unread)::int as unread,
    min(received_at) as first_at, max(received_at) as last_at
  from view.message where deleted_at is null group by 1
)
select format('mailbox %s: %s/%s, counted %s/%s', mailbox, m.messages, m.unread, c.messages, c.unread) as fault
from view.mailbox m full join counted c using (account, mailbox)
where (coalesce(m.messages, -1), coalesce(m.unread, -1)) <> (coalesce(c.messages, 0), coalesce(c.unread, 0))
union all
select format('thread %s: %s/%s %s..%s, counted %s/%s %s..%s', id, t.messages, t.unread, t.first_at, t.last_at,
  c.messages, c.unread, c.first_at, c.last_at)
from view.thread t full join threads c on c.thread = t.id
where (t.messages, t.unread, t.first_at, t.last_at) is distinct from
  (coalesce(c.messages, 0), coalesce(c.unread, 0), c.first_at, c.last_at)
  or (t.messages = 0) <> (t.empty_since is not null)
union all
select format('message %s: deleted %s, copies %s', m.id, m.deleted_at, count(c.id))
from view.message m left join view.copy c on c.message = m.id
group by m.id
having (m.deleted_at is null) <> (count(c.id) > 0)
  or m.unread <> coalesce(bool_or(not 'seen' = any(c.flags)), false)
  or m.flagged <> coalesce(bool_or('flagged' = any(c.flags)), false)
union all
select format('copy %s/%s of no message', c.mailbox, c.id)
from view.copy c left join view.message m on m.id = c.message where m.id is null
union all
select format('reference to no thread: %s', r.ref)
from view.thread_ref r left join view.thread t on t.id = r.thread where t.id is null
`;
