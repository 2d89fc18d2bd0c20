/**
 * Every message that a batch may touch, with all its copies: those at the locations it names, those with a key it names, and those that
 * could be what a new copy was moved from. One statement, because a batch of new mail finds nothing in any of the three, and three round
 * trips for nothing would be half the time of a small page.
 *
 * A hint brings at most $8 messages, those that are alive or went last: with more than that it is no identity, and is not to cost anything.
 * The content is left in the database unless an upsert may have to be compared with it.
 */
export const LOAD_MESSAGES = `
with found as (
  select c.message as id, l.content
  from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::boolean[]) as l (account, mailbox, generation, uid, content)
  join view.copy c using (account, mailbox, generation, uid)
  union all
  select m.id, true
  from unnest($6::text[], $7::text[]) as k (account, key)
  join view.message m using (account, key)
  union all
  select same.id, true
  from unnest($9::uuid[]) as h (hint)
  cross join lateral (
    select m.id from view.message m where m.hint = h.hint order by m.deleted_at desc nulls first, m.version desc limit $8
  ) as same
), wanted as (
  select id, bool_or(content) as content from found group by id
)
select m.id, m.tenant, m.account, m.version, m.thread, m.key, m.hint, m.received_at, m.deleted_at, m.was_in,
  case when wanted.content then m.content end as content,
  coalesce((
    select jsonb_agg(jsonb_build_object('mailbox', c.mailbox, 'generation', c.generation, 'uid', c.uid, 'flags', c.flags, 'derived', c.derived)
      order by c.mailbox, c.generation, c.uid)
    from view.copy c where c.message = m.id
  ), '[]') as copies
from wanted join view.message m using (id)
`;
