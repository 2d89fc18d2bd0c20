/** New messages. A plain insert: what exists was loaded under the partition's lock, so a conflict would be a bug and must be loud. */
export const INSERT_MESSAGES = `
insert into message
  (id, tenant, account, version, thread, key, hint, received_at, unread, flagged, subject, snippet, sender, content, deleted_at, was_in)
select * from json_to_recordset($1::json)
  as m (id uuid, tenant text, account text, version bigint, thread uuid, key text, hint uuid, received_at timestamptz, unread boolean,
    flagged boolean, subject text, snippet text, sender text, content json, deleted_at timestamptz, was_in text[])
`;
