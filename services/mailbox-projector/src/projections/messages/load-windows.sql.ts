/**
 * For each list of the UIDs that a mailbox has ($1): the ids where the view says something else (a copy that is not listed, or has other flags, $2),
 * and how many listed uids the view has. Compared here, because a list of 100,000 differs in a few. A uid set is a multirange: looking a uid
 * up is a binary search, and a set as large as all uids costs no more than a small one.
 */
export const LOAD_UID_WINDOWS = `
with w as materialized (
  select * from json_to_recordset($1::json)
    as w (n int, account text, mailbox text, generation text, first text collate "C", past text collate "C", present int8multirange)
), listed_flags as materialized (
  select * from json_to_recordset($2::json) as f (n int, uids int8multirange, flags text[])
)
select w.n,
  count(*) filter (where c.id::bigint <@ w.present) as known,
  coalesce(array_agg(c.id) filter (where not c.id::bigint <@ w.present or exists (
    select from listed_flags f where f.n = w.n and c.id::bigint <@ f.uids and c.flags <> f.flags
  )), '{}') as different
from w
join copy c on c.account = w.account and c.mailbox = w.mailbox and c.generation = w.generation
  and c.id >= w.first and c.id < w.past and c.id ~ '^[0-9]{1,10}$'
group by w.n
`;

/** The same for lists that name ids of any kind ($2) one by one; and the first of those that the view lacks. */
export const LOAD_ID_WINDOWS = `
with w as materialized (
  select * from json_to_recordset($1::json)
    as w (n int, account text, mailbox text, generation text, first text collate "C", past text collate "C")
), named as materialized (
  select * from json_to_recordset($2::json) as i (n int, id text collate "C")
)
select w.n, count(named.id) as known,
  coalesce(array_agg(c.id) filter (where c.id is not null and named.id is null), '{}') as different,
  array(
    select i.id from named i
    where i.n = w.n and not exists (
      select from copy c
      where c.account = w.account and c.mailbox = w.mailbox and c.generation = w.generation and c.id = i.id
    )
    order by i.id limit 1000
  ) as lacking
from w
left join copy c on c.account = w.account and c.mailbox = w.mailbox and c.generation = w.generation
  and c.id >= w.first and (w.past is null or c.id < w.past)
left join named on named.n = w.n and named.id = c.id
group by w.n, w.account, w.mailbox, w.generation
`;
