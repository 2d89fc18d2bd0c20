/**
 * The threads that messages belong to ($2) or that references lead to ($1), each with the references that led to it. A batch of new mail
 * that answers nothing finds none.
 */
export const LOAD_THREADS = `
with refs as materialized (
  select thread, ref from thread_ref where ref = any($1::uuid[])
), grouped as (
  select id, array_agg(ref) filter (where ref is not null) as refs
  from (select thread as id, ref from refs union all select id, null from unnest($2::uuid[]) as t (id)) as all_of_them
  group by id
)
select t.id, t.tenant, t.account, t.version, t.subject, t.messages, t.unread, t.first_at, t.last_at, t.empty_since, g.refs
from grouped g join thread t using (id)
`;
