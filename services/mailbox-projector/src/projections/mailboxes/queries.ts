/** Mailboxes between the fold and the database. */
import type { MailboxView } from '@mailstream/contracts';
import type { Sql, Tx } from '@mailstream/db';
import { records } from '../../sql.ts';
import type { MailboxEntry, MailboxState } from './projection.ts';

const MAILBOX_COLUMNS =
  'account, mailbox, tenant, version, listed, path, name, parent, role, selectable, reported, messages, unread, drift';

export async function loadMailboxes(
  tx: Tx,
  wanted: readonly { readonly account: string; readonly mailbox: string }[],
): Promise<MailboxState[]> {
  if (wanted.length === 0) return [];
  return await tx.query<MailboxState>(
    `select ${MAILBOX_COLUMNS}
     from json_to_recordset($1::json) as w (account text, mailbox text) join mailbox using (account, mailbox)`,
    [records(wanted)],
  );
}

export async function saveMailboxes(tx: Tx, entries: Iterable<MailboxEntry>): Promise<void> {
  const changed = [...entries].filter(({ before, now }) => now !== before);
  const gone = changed.flatMap(({ before, now }) => (before && !now ? [before] : []));
  const kept = changed.flatMap(({ now }) => now ?? []);
  if (gone.length > 0)
    await tx.query(
      `delete from mailbox m using json_to_recordset($1::json) as gone (account text, mailbox text)
       where m.account = gone.account and m.mailbox = gone.mailbox`,
      [records(gone.map(({ account, mailbox }) => ({ account, mailbox })))],
    );
  if (kept.length > 0)
    await tx.query(
      `insert into mailbox (${MAILBOX_COLUMNS})
       select * from json_to_recordset($1::json)
         as m (account text, mailbox text, tenant text, version bigint, listed boolean, path text, name text, parent text, role text,
           selectable boolean, reported int, messages int, unread int, drift int)
       on conflict (account, mailbox) do update set version = excluded.version, listed = excluded.listed, path = excluded.path,
         name = excluded.name, parent = excluded.parent, role = excluded.role, selectable = excluded.selectable,
         reported = excluded.reported, messages = excluded.messages, unread = excluded.unread, drift = excluded.drift`,
      [records(kept.map((mailbox) => ({ ...mailbox, version: String(mailbox.version) })))],
    );
}

export function mailboxView(state: MailboxState): MailboxView {
  const { account, mailbox, version, path, name, parent, role, selectable, messages, unread, reported } =
    state;
  return {
    id: mailbox,
    account,
    version: String(version),
    path,
    name,
    parent,
    role,
    selectable,
    messages,
    unread,
    reported,
  };
}

/** Those the provider named, by path. */
export async function listMailboxes(sql: Sql, accounts: readonly string[]): Promise<MailboxView[]> {
  const rows = await sql.query<MailboxState>(
    `select ${MAILBOX_COLUMNS} from mailbox where account = any($1::text[]) and listed order by account, path`,
    [accounts],
  );
  return rows.map(mailboxView);
}
