/** Copies as they are now: new ones, and known ones whose flags or message changed. */
export const WRITE_COPIES = `
insert into copy (account, mailbox, generation, id, tenant, message, flags, derived)
select * from json_to_recordset($1::json)
  as c (account text, mailbox text, generation text, id text, tenant text, message uuid, flags text[], derived boolean)
on conflict (account, mailbox, generation, id)
do update set message = excluded.message, flags = excluded.flags, derived = excluded.derived
`;
