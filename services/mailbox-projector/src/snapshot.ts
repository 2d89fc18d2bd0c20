/** Everything that is there, page by page, each exact at a version of its account: where a reader of the change stream begins. */
import {
  type AccountView,
  type MailboxView,
  type MessageView,
  PARTITIONS,
  partitionOf,
} from '@mailstream/contracts';
import type { Sql, Tx } from '@mailstream/db';
import { readPositions } from '@mailstream/fold';
import { AppError } from '@mailstream/runtime';
import { VIEW_SCHEMA } from './migrate.ts';
import { accountView } from './projections/accounts/projection.ts';
import { loadAccounts } from './projections/accounts/queries.ts';
import { listMailboxes } from './projections/mailboxes/queries.ts';
import { readMessages } from './projections/messages/read.ts';

/** A place in the walk: behind this message of this account, or before its first. */
export interface SnapshotPlace {
  readonly account: string;
  readonly message: string | null;
}

export interface SnapshotPart {
  readonly account: string;
  readonly version: bigint;
  readonly accounts: AccountView[];
  readonly mailboxes: MailboxView[];
  readonly messages: MessageView[];
  /** Id of the last message; null when the account has no more. */
  readonly through: string | null;
}

const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/**
 * The part after a place, of the first account from there on that is one of these; null when there is none. `tx` must see one state of the database in all
 * its statements.
 */
export async function readSnapshotPart(
  tx: Tx,
  accounts: readonly string[],
  versions: (account: string) => bigint,
  after: SnapshotPlace | null,
  limit: number,
): Promise<SnapshotPart | null> {
  const account = accounts.find((each) => after === null || each >= after.account);
  if (account === undefined) return null;
  const start = after?.account === account ? after.message : null;
  const ids = await tx.query<{ id: string }>(
    `select id from message where account = $1 and deleted_at is null and id > $2 order by id limit $3`,
    [account, start ?? BEFORE_ALL, limit],
  );
  const read = await readMessages(
    tx,
    ids.map(({ id }) => id),
  );
  const messages = read.map(({ view }) => view).sort((a, b) => (a.id < b.id ? -1 : 1));
  const isFirst = start === null;
  return {
    account,
    version: versions(account),
    accounts: isFirst ? (await loadAccounts(tx, [account])).map(accountView) : [],
    mailboxes: isFirst ? await listMailboxes(tx, [account]) : [],
    messages,
    through: ids.length < limit ? null : (ids.at(-1)?.id ?? null),
  };
}

/**
 * At which version the view stands, for each account. Throws `api.view_behind` while it folds again what it told of before, whichever partition it is in: the
 * list of accounts lacks those that are not folded yet. To be called when the accounts were read: from then on no rebuild can exchange the tables.
 */
export async function readVersions(sql: Sql): Promise<(account: string) => bigint> {
  const positions = await readPositions(sql, 'projector');
  const isWhole = positions.every(({ position, quietUntil }) => position >= quietUntil);
  if (positions.length < PARTITIONS || !isWhole || !(await isOneView(sql)))
    throw new AppError(
      'api.view_behind',
      'network',
      'the view is being made again and is behind what was told: try again in a while',
    );
  const versions = new Map(positions.map(({ partition, version }) => [partition, version]));
  return (account) => versions.get(Number(partitionOf(account))) ?? 0n;
}

/**
 * Whether the tables that names lead to now are those of the state that this transaction sees. Names follow an exchange at once, and an emptied table is
 * empty at once: an older transaction would take it for what was there.
 */
async function isOneView(sql: Sql): Promise<boolean> {
  const [found] = await sql.query<{ same: boolean }>(
    `select relnamespace = (select oid from pg_namespace where nspname = $1) and relfilenode = pg_relation_filenode(oid) as same
     from pg_class where oid = 'account'::regclass`,
    [VIEW_SCHEMA.schema],
  );
  return found?.same === true;
}
