-- Subscriptions to the notifications of providers: one row per account that has or wants one.
CREATE TABLE control.subscription (
  account uuid PRIMARY KEY REFERENCES control.account ON DELETE CASCADE,
  -- What the provider made: these four are there together or not at all.
  id text COLLATE "C",
  secret_hash text,
  notification_url text,
  expires_at timestamptz,
  due_at timestamptz NOT NULL,
  attempts integer NOT NULL,
  failure jsonb,
  CHECK (num_nulls(id, secret_hash, notification_url, expires_at) IN (0, 4))
);
CREATE INDEX subscription_due ON control.subscription (due_at);
