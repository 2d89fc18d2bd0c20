/**
 * Forgets what has been gone for too long to turn up again: deleted messages, threads without messages, their references. By each
 * account's own log time, after every batch of it, so that a replay forgets exactly the same. The ids go into an array, because the planner
 * would otherwise rather read all references than believe that so few threads go.
 */
export const PRUNE = `
with due as materialized (
  select * from json_to_recordset($1::json) as due (account text, before timestamptz)
), messages as (
  delete from view.message m using due where m.account = due.account and m.deleted_at < due.before
), threads as (
  delete from view.thread t using due where t.account = due.account and t.empty_since < due.before returning t.id
)
delete from view.thread_ref where thread = any(array(select id from threads))
`;
