/** Copies that are gone. */
export const DELETE_COPIES = `
delete from copy c
using json_to_recordset($1::json) as gone (account text, mailbox text, generation text, id text)
where c.account = gone.account and c.mailbox = gone.mailbox and c.generation = gone.generation and c.id = gone.id
`;
