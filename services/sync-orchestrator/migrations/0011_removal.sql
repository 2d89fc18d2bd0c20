-- Accounts that are being removed: which step is to be done next (libs/contracts, REMOVAL_STEPS), and since when.
ALTER TABLE control.account ADD COLUMN removal text, ADD COLUMN removal_since timestamptz;
CREATE INDEX account_removing ON control.account (removed_at) WHERE removal IS NOT NULL;

-- Of accounts that were removed before there were steps nothing is left but this.
DELETE FROM control.account WHERE removed_at IS NOT NULL;
