/** Copies that are gone. */
export const DELETE_COPIES = `
delete from view.copy c
using json_to_recordset($1::json) as gone (account text, mailbox text, generation text, uid bigint)
where c.account = gone.account and c.mailbox = gone.mailbox and c.generation = gone.generation and c.uid = gone.uid
`;
