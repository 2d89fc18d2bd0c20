-- How far the rebuild of a fold's tables is, or how the last one ended: one row per fold. It says nothing of anybody's mail but ids.
CREATE TABLE rebuild (
  fold         text        PRIMARY KEY,
  stage        text        NOT NULL CHECK (stage IN ('folding', 'comparing', 'swapping', 'differs', 'done')),
  events       bigint      NOT NULL DEFAULT 0,
  remaining    bigint      NOT NULL DEFAULT 0,
  rate         real,
  differences  json        NOT NULL DEFAULT '[]',
  started_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN rebuild.events IS 'Facts of the log folded into the new tables.';
COMMENT ON COLUMN rebuild.remaining IS 'Facts that the live tables have and the new ones do not yet.';
COMMENT ON COLUMN rebuild.rate IS 'Facts folded per second; null before the first were.';
CALL tenancy.protect('rebuild', '');
