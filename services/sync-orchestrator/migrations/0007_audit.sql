-- The audit trail: who did what, when, from where. Rows are added, and expire; nothing else is done to them.
CREATE TABLE control.audit (
  -- A UUIDv7: also the order.
  id uuid PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  tenant text COLLATE "C" NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  -- No reference: what is said of an account stays when it is removed.
  account uuid,
  ip text,
  request_id text,
  detail jsonb NOT NULL
);
CREATE INDEX audit_tenant ON control.audit (tenant, id);
CREATE INDEX audit_account ON control.audit (account, id);
CREATE INDEX audit_at ON control.audit USING brin (at);

CREATE FUNCTION control.audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('mailstream.expiring_audit', true) = 'on' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'the audit trail is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON control.audit
  FOR EACH STATEMENT EXECUTE FUNCTION control.audit_is_append_only();

-- The only way out. What is younger than 30 days stays, whoever asks.
CREATE FUNCTION control.expire_audit(days integer) RETURNS bigint LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  expired bigint;
BEGIN
  IF days IS NULL OR days < 30 THEN
    RAISE EXCEPTION 'the audit trail is kept for 30 days at least' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM set_config('mailstream.expiring_audit', 'on', true);
  DELETE FROM control.audit WHERE at < now() - make_interval(days => days);
  GET DIAGNOSTICS expired = ROW_COUNT;
  PERFORM set_config('mailstream.expiring_audit', 'off', true);
  RETURN expired;
END $$;

-- Who began a sign-in is who connects the account.
DELETE FROM control.consent;
ALTER TABLE control.consent ADD COLUMN actor text NOT NULL;
