/** Threads as they are now, new or not: all of a row is in memory, and most of a row changes with each message. */
export const WRITE_THREADS = `
insert into view.thread (id, tenant, account, version, subject, messages, unread, first_at, last_at, empty_since)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::int[], $7::int[], $8::timestamptz[],
  $9::timestamptz[], $10::timestamptz[])
on conflict (id) do update set version = excluded.version, messages = excluded.messages, unread = excluded.unread,
  first_at = excluded.first_at, last_at = excluded.last_at, empty_since = excluded.empty_since
`;
