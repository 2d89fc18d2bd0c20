/**
 * Forgets what has been gone for too long to turn up again: deleted messages, threads without messages, their references. By each
 * account's own log time, after every batch of it, so that a replay forgets exactly the same. Account by account (`offset 0` keeps it from becoming one
 * join) and by ids in arrays, because the planner would otherwise rather read whole tables than believe that so little goes.
 */
export const PRUNE = `
with due as materialized (
  select * from json_to_recordset($1::json) as due (account text, before timestamptz)
), messages as (
  delete from message where id = any(array(
    select gone.id from due cross join lateral (
      select m.id from message m where m.account = due.account and m.deleted_at < due.before offset 0
    ) as gone
  ))
), threads as (
  delete from thread where id = any(array(
    select gone.id from due cross join lateral (
      select t.id from thread t where t.account = due.account and t.empty_since < due.before offset 0
    ) as gone
  )) returning id
)
delete from thread_ref where thread = any(array(select id from threads))
`;
