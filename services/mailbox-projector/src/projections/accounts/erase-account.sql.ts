/**
 * Deletes up to $2 messages, copies and threads each of an account, and its few other rows; says how many rows that were. Nothing is locked for longer
 * than a batch takes. The deleted and the living are asked for one by one, because each has its index on the account and neither index has both.
 */
export const ERASE_SOME = `
with threads as (
  delete from thread where id = any(array(
    (select id from thread where account = $1 and empty_since is null limit $2)
    union all (select id from thread where account = $1 and empty_since is not null limit $2)
  )) returning id
), refs as (
  delete from thread_ref where thread = any(array(select id from threads))
), messages as (
  delete from message where id = any(array(
    (select id from message where account = $1 and deleted_at is null limit $2)
    union all (select id from message where account = $1 and deleted_at is not null limit $2)
  )) returning id
), copies as (
  delete from copy where ctid = any(array(
    select ctid from copy where account = $1 limit $2
  )) returning 1
), mailboxes as (
  delete from mailbox where account = $1
), cursors as (
  delete from cursor where account = $1
), runs as (
  delete from run where account = $1
)
select ((select count(*) from threads) + (select count(*) from messages) + (select count(*) from copies))::int as erased
`;
