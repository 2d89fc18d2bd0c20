/** New messages. A plain insert: what exists was loaded under the partition's lock, so a conflict would be a bug and must be loud. */
export const INSERT_MESSAGES = `
insert into view.message
  (id, tenant, account, version, thread, key, hint, received_at, unread, flagged, sender, content, deleted_at, was_in)
select * from jsonb_to_recordset($1::jsonb)
  as m (id uuid, tenant text, account text, version bigint, thread uuid, key text, hint uuid, received_at timestamptz, unread boolean,
    flagged boolean, sender text, content jsonb, deleted_at timestamptz, was_in text[])
`;
