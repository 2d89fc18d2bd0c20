-- What an account has spent of its provider's allowance in the last minute, and when its imports will have ended by it.
ALTER TABLE control.account ADD COLUMN spending jsonb;
ALTER TABLE control.scope ADD COLUMN import_ends_at timestamptz;
