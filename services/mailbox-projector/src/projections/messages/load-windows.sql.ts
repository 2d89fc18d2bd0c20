/**
 * For each list of what a mailbox has ($1): the uids where the view says something else (a copy that is not listed, or has other flags, $2),
 * and how many listed uids the view has. Compared here, because a list of 100,000 differs in a few. A uid set is a multirange: looking a uid
 * up is a binary search, and a set as large as all uids costs no more than a small one.
 */
export const LOAD_WINDOWS = `
with w as materialized (
  select * from json_to_recordset($1::json)
    as w (n int, account text, mailbox text, generation text, first bigint, past bigint, present int8multirange)
), listed_flags as materialized (
  select * from json_to_recordset($2::json) as f (n int, uids int8multirange, flags text[])
)
select w.n,
  count(*) filter (where c.uid <@ w.present) as known,
  coalesce(array_agg(c.uid) filter (where not c.uid <@ w.present or exists (
    select from listed_flags f where f.n = w.n and c.uid <@ f.uids and c.flags <> f.flags
  )), '{}') as different
from w
join view.copy c on c.account = w.account and c.mailbox = w.mailbox and c.generation = w.generation
  and c.uid >= w.first and c.uid < w.past
group by w.n
`;
