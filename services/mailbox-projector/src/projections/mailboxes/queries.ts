/** Mailboxes between the fold and the database. */
import type { MailboxView } from '@mailstream/contracts';
import type { Sql, Tx } from '@mailstream/db';
import type { MailboxEntry, MailboxState } from './projection.ts';

const MAILBOX_COLUMNS =
  'account, mailbox, tenant, version, listed, path, name, parent, role, selectable, reported, messages, unread, drift';

export async function loadMailboxes(
  tx: Tx,
  wanted: readonly { readonly account: string; readonly mailbox: string }[],
): Promise<MailboxState[]> {
  if (wanted.length === 0) return [];
  return await tx.query<MailboxState>(
    `select ${MAILBOX_COLUMNS} from view.mailbox
     where (account, mailbox) in (select * from unnest($1::text[], $2::text[]))`,
    [wanted.map((w) => w.account), wanted.map((w) => w.mailbox)],
  );
}

export async function saveMailboxes(tx: Tx, entries: Iterable<MailboxEntry>): Promise<void> {
  const changed = [...entries].filter(({ before, now }) => now !== before);
  const gone = changed.flatMap(({ before, now }) => (before && !now ? [before] : []));
  const kept = changed.flatMap(({ now }) => now ?? []);
  if (gone.length > 0)
    await tx.query(
      `delete from view.mailbox m using unnest($1::text[], $2::text[]) as gone (account, mailbox)
       where m.account = gone.account and m.mailbox = gone.mailbox`,
      [gone.map((m) => m.account), gone.map((m) => m.mailbox)],
    );
  if (kept.length > 0)
    await tx.query(
      `insert into view.mailbox (${MAILBOX_COLUMNS})
       select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::boolean[], $6::text[], $7::text[], $8::text[],
         $9::text[], $10::boolean[], $11::int[], $12::int[], $13::int[], $14::int[])
       on conflict (account, mailbox) do update set version = excluded.version, listed = excluded.listed, path = excluded.path,
         name = excluded.name, parent = excluded.parent, role = excluded.role, selectable = excluded.selectable,
         reported = excluded.reported, messages = excluded.messages, unread = excluded.unread, drift = excluded.drift`,
      [
        kept.map((m) => m.account),
        kept.map((m) => m.mailbox),
        kept.map((m) => m.tenant),
        kept.map((m) => String(m.version)),
        kept.map((m) => m.listed),
        kept.map((m) => m.path),
        kept.map((m) => m.name),
        kept.map((m) => m.parent),
        kept.map((m) => m.role),
        kept.map((m) => m.selectable),
        kept.map((m) => m.reported),
        kept.map((m) => m.messages),
        kept.map((m) => m.unread),
        kept.map((m) => m.drift),
      ],
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
    `select ${MAILBOX_COLUMNS} from view.mailbox where account = any($1::text[]) and listed order by account, path`,
    [accounts],
  );
  return rows.map(mailboxView);
}
