-- Of a removed account its row stays, without its name: pages that come late are known by it. `to_erase`: there may be other rows of it.
alter table account add column to_erase boolean not null default false;
create index account_to_erase on account (account) where to_erase;
update account set name = '', reason = null where state = 'removed';
