/**
 * Every message that a batch may touch, with all its copies: those at the locations it names ($1), those with a key it names ($2), and those
 * that a new copy could have been moved from ($3). One statement, because a batch of new mail finds nothing in any of the three, and three
 * round trips for nothing would be half the time of a small page.
 *
 * A hint brings at most $4 messages, those that are alive or went last: with more than that it is no identity, and is not to cost anything.
 * The content is left in the database unless an upsert may have to be compared with it.
 */
export const LOAD_MESSAGES = `
with found as (
  select c.message as id, l.content
  from json_to_recordset($1::json) as l (account text, mailbox text, generation text, id text, content boolean)
  join copy c using (account, mailbox, generation, id)
  union all
  select m.id, k.content
  from json_to_recordset($2::json) as k (account text, key text, content boolean)
  join message m using (account, key)
  union all
  select id, true
  from (
    select id, row_number() over (partition by hint order by deleted_at desc nulls first, version desc) as place
    from message where hint = any($3::uuid[])
  ) as same
  where place <= $4
), wanted as (
  select id, bool_or(content) as content from found group by id
)
select m.id, m.tenant, m.account, m.version, m.thread, m.key, m.hint, m.received_at, m.deleted_at, m.was_in,
  m.subject, m.snippet, case when wanted.content then m.content end as content,
  coalesce((
    select jsonb_agg(jsonb_build_object('mailbox', c.mailbox, 'generation', c.generation, 'id', c.id, 'flags', c.flags, 'derived', c.derived)
      order by c.mailbox, c.generation, c.id)
    from copy c where c.message = m.id
  ), '[]') as copies
from wanted join message m using (id)
`;
