-- What the accounts have in common that have one subscription at the provider together: tenants that have connected the same mailbox.
ALTER TABLE control.subscription ADD COLUMN shared text COLLATE "C";
CREATE INDEX subscription_shared ON control.subscription (shared) WHERE shared IS NOT NULL;
CREATE INDEX subscription_id ON control.subscription (id) WHERE id IS NOT NULL;
