/**
 * Everything the view has of an account but its own row, which says that it was removed. The deleted and the living are asked for one by one, because each has its index on the account
 * and neither index has both.
 */
export const DELETE_ACCOUNT = `
with threads as (
  delete from thread where account = $1 returning id
), refs as (
  delete from thread_ref r using threads t where r.thread = t.id
), living as (
  delete from message where account = $1 and deleted_at is null
), deleted as (
  delete from message where account = $1 and deleted_at is not null
), copies as (
  delete from copy where account = $1
), mailboxes as (
  delete from mailbox where account = $1
), cursors as (
  delete from cursor where account = $1
)
delete from run where account = $1
`;
