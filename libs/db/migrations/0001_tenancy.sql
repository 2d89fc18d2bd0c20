-- Row-level security of all tables: which tenant a transaction is bound to, and the policies that follow from it (ARCHITECTURE, row-level security).
-- Proof that our code bound a transaction to a tenant: whoever only brings a statement into it does not know the key, and cannot bind it to another.
CREATE TABLE tenancy.key (
  secret bytea NOT NULL DEFAULT
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
);
INSERT INTO tenancy.key DEFAULT VALUES;

-- The tenant that `mailstream.tenant` names after its proof, 64 hexadecimal digits; null when nothing is set, or something else.
-- Hashed twice, because one who knows a hash can go on with what it was made of.
CREATE FUNCTION tenancy.tenant() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp AS $$
  SELECT substr(said, 65)
    FROM tenancy.key, current_setting('mailstream.tenant', true) AS said
   WHERE left(said, 64) = encode(sha256(secret || sha256(secret || convert_to(substr(said, 65), 'UTF8'))), 'hex')
$$;

-- For every table there is: services may do everything in it for all tenants, the API what `api` grants (nothing, when empty) in the rows that
-- `mine` is true of.
CREATE PROCEDURE tenancy.protect(what regclass, api text, mine text DEFAULT 'tenant = (SELECT tenancy.tenant())')
  LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', what);
  EXECUTE format('CREATE POLICY every_tenant ON %s TO mailstream_service USING (true)', what);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO mailstream_service', what);
  IF api <> '' THEN
    EXECUTE format('CREATE POLICY one_tenant ON %s TO mailstream_api USING (%s)', what, mine);
    EXECUTE format('GRANT %s ON %s TO mailstream_api', api, what);
  END IF;
END $$;

GRANT USAGE ON SCHEMA tenancy TO mailstream_service, mailstream_api;
GRANT SELECT ON tenancy.key, tenancy.migrations TO mailstream_service;
