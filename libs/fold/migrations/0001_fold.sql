-- How far each fold has come in each partition of the MAIL log. Written in the transaction that folds, and only if it still stands where
-- the writer thinks it does: that is what makes the effects happen once (ARCHITECTURE, invariant 2).
CREATE TABLE checkpoint (
  fold        text        NOT NULL,
  partition   smallint    NOT NULL,
  position    bigint      NOT NULL,
  epoch       text        NOT NULL,
  fingerprint    text,
  quiet_until bigint      NOT NULL DEFAULT 0,
  updated_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (fold, partition)
);
COMMENT ON COLUMN checkpoint.position IS 'Sequence of the last message folded, or known not to concern this partition.';
COMMENT ON COLUMN checkpoint.epoch IS 'The log that position counts in: when the stream was created, and how often our place in it was lost.';
COMMENT ON COLUMN checkpoint.fingerprint IS 'Digest of the message stored at position; null when there was none.';
COMMENT ON COLUMN checkpoint.quiet_until IS 'Up to this position emissions are not written: they were, when this part of the log was folded before.';

-- The last page applied per scope: the next one must name it.
CREATE TABLE chain (
  fold      text     NOT NULL,
  partition smallint NOT NULL,
  tenant    text     NOT NULL,
  account   text     NOT NULL,
  scope     text     NOT NULL,
  page      text     NOT NULL,
  PRIMARY KEY (fold, partition, tenant, account, scope)
);

-- Events that were decided but are perhaps not published yet, in bundles: what one transaction says to one target is one row, or a few.
-- One row per event cost three times as much.
CREATE TABLE outbox (
  relay      text     NOT NULL,
  partition  smallint NOT NULL,
  target     text     NOT NULL CHECK (target IN ('mail', 'changes')),
  id         bigint   NOT NULL GENERATED ALWAYS AS IDENTITY,
  position   bigint   NOT NULL,
  is_last    boolean  NOT NULL,
  last_event text     NOT NULL,
  events     int      NOT NULL,
  body       text     NOT NULL,
  PRIMARY KEY (relay, partition, target, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
COMMENT ON COLUMN outbox.position IS 'Where the fold stands after the transaction that wrote the row; 0 outside folds and after a repair.';
COMMENT ON COLUMN outbox.is_last IS 'Whether it is the last row of its transaction for this target.';
COMMENT ON COLUMN outbox.last_event IS 'Id of the last event in the body.';
-- Rows live for milliseconds: compressing them costs more than it saves.
ALTER TABLE outbox ALTER COLUMN body SET STORAGE EXTERNAL;

-- Repairs the engine made by itself (ARCHITECTURE, invariant 4), for people to see.
CREATE TABLE incident (
  id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  fold      text        NOT NULL,
  partition smallint    NOT NULL,
  kind      text        NOT NULL,
  detail    text        NOT NULL,
  at        timestamptz NOT NULL DEFAULT now()
);
