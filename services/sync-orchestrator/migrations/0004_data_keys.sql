-- Each credential has a data key of its own, stored wrapped by the key-encryption key with this id. An empty id: stored before there were data
-- keys; the orchestrator seals these once more when it starts.
ALTER TABLE control.credential
  ADD COLUMN key_id text COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN data_key bytea NOT NULL DEFAULT '';
ALTER TABLE control.credential ALTER COLUMN key_id DROP DEFAULT, ALTER COLUMN data_key DROP DEFAULT;

-- Whoever was signing in just now starts again.
DELETE FROM control.consent;
ALTER TABLE control.consent
  ADD COLUMN key_id text COLLATE "C" NOT NULL,
  ADD COLUMN data_key bytea NOT NULL;
