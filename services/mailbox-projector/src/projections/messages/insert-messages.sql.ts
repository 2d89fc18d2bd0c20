/** New messages. A plain insert: what exists was loaded under the partition's lock, so a conflict would be a bug and must be loud. */
export const INSERT_MESSAGES = `
insert into view.message
  (id, tenant, account, version, thread, key, hint, received_at, unread, flagged, sender, content, deleted_at, was_in)
select id, tenant, account, version, thread, key, hint, received_at, unread, flagged, sender, content::jsonb, deleted_at, was_in::text[]
from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::uuid[], $6::text[], $7::uuid[], $8::timestamptz[], $9::boolean[],
    $10::boolean[], $11::text[], $12::text[], $13::timestamptz[], $14::text[])
  as m (id, tenant, account, version, thread, key, hint, received_at, unread, flagged, sender, content, deleted_at, was_in)
`;
