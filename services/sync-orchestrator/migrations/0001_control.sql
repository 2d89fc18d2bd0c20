-- Accounts, their sealed credentials, and one row per scope: what is wanted, what is in flight, what failed.
CREATE TABLE control.account (
  id uuid PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  provider text NOT NULL,
  name text NOT NULL,
  settings jsonb NOT NULL,
  state text NOT NULL,
  reason text,
  credential_version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  removed_at timestamptz
);
CREATE INDEX account_tenant ON control.account (tenant, id) WHERE removed_at IS NULL;

CREATE TABLE control.credential (
  account uuid PRIMARY KEY REFERENCES control.account ON DELETE CASCADE,
  sealed bytea NOT NULL
);

CREATE TABLE control.scope (
  account uuid NOT NULL REFERENCES control.account ON DELETE CASCADE,
  scope text COLLATE "C" NOT NULL,
  path text,
  address text,
  hot boolean NOT NULL,
  wanted text,
  backfilled boolean NOT NULL,
  estimate integer,
  run text,
  lane text,
  run_since timestamptz,
  attempts integer NOT NULL,
  retry_at timestamptz,
  failure jsonb,
  checked_at timestamptz,
  cursor_at timestamptz,
  PRIMARY KEY (account, scope)
) WITH (fillfactor = 70);
