/** Threads as they are now, new or not: all of a row is in memory, and most of a row changes with each message. */
export const WRITE_THREADS = `
insert into thread (id, tenant, account, version, subject, messages, unread, first_at, last_at, empty_since)
select * from json_to_recordset($1::json)
  as t (id uuid, tenant text, account text, version bigint, subject text, messages int, unread int, first_at timestamptz,
    last_at timestamptz, empty_since timestamptz)
on conflict (id) do update set version = excluded.version, messages = excluded.messages, unread = excluded.unread,
  first_at = excluded.first_at, last_at = excluded.last_at, empty_since = excluded.empty_since
`;
