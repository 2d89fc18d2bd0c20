-- API keys: of each the SHA-256 only. Revoked ones stay, to tell who had made them.
CREATE TABLE control.api_key (
  prefix text COLLATE "C" PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  digest text COLLATE "C" NOT NULL UNIQUE,
  name text NOT NULL,
  scopes text[] NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX api_key_tenant ON control.api_key (tenant, created_at) WHERE revoked_at IS NULL;
