-- Accounts of people who signed in with their provider: whose each is, and the sign-ins under way.
ALTER TABLE control.account ADD COLUMN owner text COLLATE "C";
CREATE UNIQUE INDEX account_owner ON control.account (tenant, provider, owner) WHERE removed_at IS NULL;

CREATE TABLE control.consent (
  state bytea PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  provider text NOT NULL,
  account uuid,
  return_to text,
  sealed bytea NOT NULL,
  expires_at timestamptz NOT NULL
);
