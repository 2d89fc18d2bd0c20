/**
 * Messages that were there before and are different now. The content is written only where a fact brought another, and comes back
 * where a change is to be published: the row is in hand anyway.
 */
export const UPDATE_MESSAGES = `
update view.message m
set version = u.version, thread = u.thread, key = u.key, received_at = u.received_at, unread = u.unread, flagged = u.flagged,
  sender = coalesce(u.sender, m.sender), content = coalesce(u.content::jsonb, m.content), deleted_at = u.deleted_at,
  was_in = u.was_in::text[]
from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::timestamptz[], $6::boolean[], $7::boolean[], $8::text[], $9::text[],
    $10::timestamptz[], $11::text[], $12::boolean[])
  as u (id, version, thread, key, received_at, unread, flagged, sender, content, deleted_at, was_in, wanted)
where m.id = u.id
returning m.id, case when u.wanted then m.content end as content
`;
