-- Webhooks: who is told of changes by HTTP, what each is still to be told, and how far the change stream was read for them.
CREATE TABLE control.webhook_endpoint (
  id uuid PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  url text NOT NULL,
  name text NOT NULL,
  -- Null: all.
  types text[],
  accounts text[],
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused')),
  reason text,
  failing_since timestamptz,
  -- What came after this sequence of CHANGES is for it.
  position bigint NOT NULL,
  -- It is given what came after `position`, and not yet what comes now.
  behind boolean NOT NULL DEFAULT false,
  -- When changes were lost that it was not told of.
  lost_at timestamptz,
  key_id text COLLATE "C" NOT NULL,
  data_key bytea NOT NULL,
  sealed bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhook_endpoint_tenant ON control.webhook_endpoint (tenant, id);
CREATE INDEX webhook_endpoint_behind ON control.webhook_endpoint (id) WHERE behind AND state = 'active';

-- What an endpoint is to be told, or was: the change itself is in CHANGES, under `sequence`.
CREATE TABLE control.webhook_delivery (
  endpoint uuid NOT NULL REFERENCES control.webhook_endpoint ON DELETE CASCADE,
  event uuid NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  stored_at timestamptz NOT NULL,
  type text NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
  attempts integer NOT NULL DEFAULT 0,
  first_at timestamptz,
  last_at timestamptz,
  status integer,
  error text,
  PRIMARY KEY (endpoint, event)
);
CREATE INDEX webhook_delivery_waiting ON control.webhook_delivery (endpoint, account, sequence) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_log ON control.webhook_delivery (endpoint, sequence);
CREATE INDEX webhook_delivery_old ON control.webhook_delivery (last_at) WHERE state <> 'waiting';

-- What waits for one endpoint of one account is told one after the other.
CREATE TABLE control.webhook_lane (
  endpoint uuid NOT NULL REFERENCES control.webhook_endpoint ON DELETE CASCADE,
  account text COLLATE "C" NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  due_at timestamptz NOT NULL,
  held_until timestamptz,
  PRIMARY KEY (endpoint, account)
);
CREATE INDEX webhook_lane_due ON control.webhook_lane (due_at);

-- One row: the process that holds it reads for all.
CREATE TABLE control.webhook_reader (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  stream text NOT NULL,
  sequence bigint NOT NULL,
  holder text,
  held_until timestamptz
);
