-- A snapshot walks the messages of an account by their ids, which never change: a message cannot slip from one page to another meanwhile.
create index message_snapshot on message (account, id) where deleted_at is null;
