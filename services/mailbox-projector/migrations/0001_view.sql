-- The mailbox view: everything here can be dropped and is the same again after the log was replayed from its start.
-- Every table bears its tenant. Ids that come from the log are compared byte by byte. No foreign keys: one fold writes all of it, under
-- one lock per partition, and a check per row would cost more than the row.
create table account (
  account text collate "C" primary key,
  tenant text collate "C" not null,
  version bigint not null,
  provider text not null,
  name text not null,
  state text not null,
  reason text
);

create table mailbox (
  account text collate "C" not null,
  mailbox text collate "C" not null,
  tenant text collate "C" not null,
  version bigint not null,
  -- False while only its messages were heard of; such a row counts, and is not shown.
  listed boolean not null,
  path text not null,
  name text not null,
  parent text collate "C",
  role text,
  selectable boolean not null,
  reported integer,
  messages integer not null,
  unread integer not null,
  -- Copies the provider's last list had and the view does not; 0 when all is well.
  drift integer not null,
  primary key (account, mailbox)
);

create table message (
  id uuid primary key,
  tenant text collate "C" not null,
  account text collate "C" not null,
  version bigint not null,
  thread uuid not null,
  -- The provider's identity of the message; null where only copies have one.
  key text collate "C",
  -- Digest of what two copies of one message have in common; null when it could not identify anything. Not unique.
  hint uuid,
  received_at timestamptz not null,
  unread boolean not null,
  flagged boolean not null,
  subject text,
  snippet text,
  -- Names and addresses of From, for filters; the content has them in full.
  sender text not null,
  -- All other fields. Text, not jsonb: nothing looks into it, and taking it apart would cost a third of the insert.
  content json not null,
  -- Set when the last copy went: the row is kept for an hour of log time, because the message may turn up elsewhere.
  deleted_at timestamptz,
  was_in text[] collate "C"
)
-- Room for a new version of a row beside the old one: a flag change then touches no index.
with (fillfactor = 90);

create index message_newest on message (account, received_at, id) where deleted_at is null;
create index message_thread on message (thread);
create index message_hint on message (hint) where hint is not null;
create index message_key on message (account, key) where key is not null;
create index message_deleted on message (account, deleted_at) where deleted_at is not null;

create table copy (
  account text collate "C" not null,
  mailbox text collate "C" not null,
  generation text collate "C" not null,
  -- The provider's id of the copy; an IMAP UID in ten digits, so that ranges of them are ranges here.
  id text collate "C" not null,
  tenant text collate "C" not null,
  message uuid not null,
  flags text[] collate "C" not null,
  -- It joined its message because of the hint, not because of an identity the provider gave.
  derived boolean not null,
  primary key (account, mailbox, generation, id)
);

create index copy_message on copy (message);

create table thread (
  id uuid primary key,
  tenant text collate "C" not null,
  account text collate "C" not null,
  version bigint not null,
  subject text,
  messages integer not null,
  unread integer not null,
  -- Null while it has no messages.
  first_at timestamptz,
  last_at timestamptz,
  -- Since when it has none; the row is kept as long as its deleted messages are.
  empty_since timestamptz
);

create index thread_newest on thread (account, last_at, id) where empty_since is null;
create index thread_empty on thread (account, empty_since) where empty_since is not null;

-- Which thread a Message-ID belongs to, whether or not its message was ever seen.
create table thread_ref (
  -- Digest of the account and the Message-ID, or of the account and the provider's thread id.
  ref uuid primary key,
  tenant text collate "C" not null,
  account text collate "C" not null,
  thread uuid not null
);

create index thread_ref_thread on thread_ref (thread);

-- How far each scope was read. Where log and view disagree, this is the truth (ARCHITECTURE, invariant 4).
create table cursor (
  account text collate "C" not null,
  scope text collate "C" not null,
  tenant text collate "C" not null,
  -- Null while fetches of the scope have only failed.
  page text,
  cursor jsonb,
  origin text,
  -- Whether nothing was left to fetch when its last page was made.
  done boolean not null,
  estimate integer,
  at timestamptz,
  version bigint not null,
  -- When it was first read to its end.
  completed_at timestamptz,
  -- How many runs it had; the last one is in slot `runs % 20` of run.
  runs integer not null,
  primary key (account, scope)
);

-- The last 20 runs of each scope: a ring, so that nothing has to be deleted.
create table run (
  account text collate "C" not null,
  scope text collate "C" not null,
  slot integer not null,
  tenant text collate "C" not null,
  run text not null,
  version bigint not null,
  inserted integer not null,
  updated integer not null,
  deleted integer not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  failure text,
  code text,
  message text,
  primary key (account, scope, slot)
);
