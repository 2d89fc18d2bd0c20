/**
 * Messages that were there before and are different now. The content is written only where a fact brought another, and comes back
 * where a change is to be published: the row is in hand anyway.
 */
export const UPDATE_MESSAGES = `
update message m
set version = u.version, thread = u.thread, key = u.key, received_at = u.received_at, unread = u.unread, flagged = u.flagged,
  subject = case when u.content is null then m.subject else u.subject end,
  snippet = case when u.content is null then m.snippet else u.snippet end,
  sender = coalesce(u.sender, m.sender), content = coalesce(u.content, m.content), deleted_at = u.deleted_at, was_in = u.was_in
from json_to_recordset($1::json)
  as u (id uuid, version bigint, thread uuid, key text, received_at timestamptz, unread boolean, flagged boolean, subject text,
    snippet text, sender text, content json, deleted_at timestamptz, was_in text[], wanted boolean)
where m.id = u.id
returning m.id, m.subject, m.snippet, case when u.wanted then m.content end as content
`;
