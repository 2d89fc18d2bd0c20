/** Copies that are gone. */
export const DELETE_COPIES = `
delete from view.copy c
using unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as gone (account, mailbox, generation, uid)
where c.account = gone.account and c.mailbox = gone.mailbox and c.generation = gone.generation and c.uid = gone.uid
`;
