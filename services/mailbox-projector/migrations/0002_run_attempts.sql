-- How often a failed run was tried in a row, this time included.
alter table run add column attempts integer;
