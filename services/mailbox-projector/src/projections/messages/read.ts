/** Messages as the read API and the change stream show them. */
import type { CopyView, MessageView } from '@mailstream/contracts';
import type { Sql } from '@mailstream/db';
import { LIST_MESSAGES } from './list-messages.sql.ts';
import { contentOf, messageView, type StoredContent } from './state.ts';

interface ViewRow {
  readonly id: string;
  readonly tenant: string;
  readonly account: string;
  readonly version: bigint;
  readonly thread: string;
  readonly received_at: Date;
  readonly subject: string | null;
  readonly snippet: string | null;
  readonly content: StoredContent;
  readonly copies: CopyView[] | null;
}

export interface ReadMessage {
  readonly tenant: string;
  readonly view: MessageView;
}

/** Messages by id, newest first; deleted ones are left out. */
export async function readMessages(sql: Sql, ids: readonly string[]): Promise<ReadMessage[]> {
  if (ids.length === 0) return [];
  const rows = await sql.query<ViewRow>(
    `select m.id, m.tenant, m.account, m.version, m.thread, m.received_at, m.subject, m.snippet, m.content, (
       select jsonb_agg(jsonb_build_object('mailbox', c.mailbox, 'path', coalesce(b.path, c.mailbox), 'role', b.role,
         'generation', c.generation, 'id', c.id, 'flags', c.flags) order by c.mailbox, c.generation, c.id)
       from copy c left join mailbox b on b.account = c.account and b.mailbox = c.mailbox
       where c.message = m.id
     ) as copies
     from message m where m.id = any($1::uuid[]) and m.deleted_at is null
     order by m.received_at desc, m.id desc`,
    [ids],
  );
  return rows.map((row) => ({ tenant: row.tenant, view: viewOf(row) }));
}

export interface MessageFilter {
  readonly accounts: readonly string[];
  /** Key, path or role of a mailbox. */
  readonly mailbox?: string | undefined;
  readonly unread?: boolean | undefined;
  readonly flagged?: boolean | undefined;
  /** Part of a name or address in From, upper or lower case. */
  readonly from?: string | undefined;
  /** Part of From, subject or snippet, upper or lower case. */
  readonly text?: string | undefined;
  readonly thread?: string | undefined;
  /** Only what is older than this. */
  readonly after: { readonly time: string; readonly id: string } | null;
  readonly limit: number;
}

export async function listMessages(sql: Sql, filter: MessageFilter): Promise<MessageView[]> {
  const rows = await sql.query<{ id: string }>(LIST_MESSAGES, [
    filter.accounts,
    filter.after?.time ?? null,
    filter.after?.id ?? null,
    filter.mailbox ?? null,
    filter.unread ?? null,
    filter.flagged ?? null,
    containing(filter.from),
    containing(filter.text),
    filter.thread ?? null,
    filter.limit,
  ]);
  const messages = await readMessages(
    sql,
    rows.map(({ id }) => id),
  );
  return messages.map(({ view }) => view);
}

/** A pattern of LIKE for text that stands anywhere. */
function containing(text: string | undefined): string | null {
  return text === undefined ? null : `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}

function viewOf(row: ViewRow): MessageView {
  return messageView(
    {
      id: row.id,
      account: row.account,
      version: String(row.version),
      thread: row.thread,
      receivedAt: row.received_at.toISOString(),
    },
    contentOf(row, row.content),
    row.copies ?? [],
  );
}
