/** Copies as they are now: new ones, and known ones whose flags or message changed. */
export const WRITE_COPIES = `
insert into view.copy (account, mailbox, generation, uid, tenant, message, flags, derived)
select account, mailbox, generation, uid, tenant, message, flags::text[], derived
from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::uuid[], $7::text[], $8::boolean[])
  as c (account, mailbox, generation, uid, tenant, message, flags, derived)
on conflict (account, mailbox, generation, uid)
do update set message = excluded.message, flags = excluded.flags, derived = excluded.derived
`;
