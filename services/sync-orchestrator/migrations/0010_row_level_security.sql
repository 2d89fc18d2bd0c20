-- Each tenant's rows are its own. The API can replace a credential and not read it.
GRANT USAGE ON SCHEMA control TO mailstream_service, mailstream_api;
GRANT SELECT ON control.migrations TO mailstream_service;
CALL tenancy.protect('control.account', 'SELECT, INSERT, UPDATE');
CALL tenancy.protect('control.consent', 'INSERT');
CALL tenancy.protect('control.api_key',
  'SELECT (prefix, tenant, name, scopes, created_by, created_at, expires_at, last_used_at, revoked_at), INSERT, UPDATE (revoked_at)');
CALL tenancy.protect('control.audit', 'SELECT, INSERT');
CALL tenancy.protect('control.webhook_endpoint', 'SELECT, INSERT, UPDATE, DELETE');
CALL tenancy.protect('control.webhook_delivery', 'SELECT, UPDATE');
CALL tenancy.protect('control.webhook_lane', 'SELECT, INSERT, UPDATE');
-- Locked by whoever pauses an endpoint; it is no tenant's.
CALL tenancy.protect('control.webhook_reader', 'SELECT, UPDATE (one)', 'true');

-- These say whose they are by their account.
CALL tenancy.protect('control.credential', 'SELECT (account), INSERT, UPDATE, DELETE',
  'EXISTS (SELECT FROM control.account a WHERE a.id = account)');
CALL tenancy.protect('control.scope', 'SELECT, INSERT, UPDATE, DELETE',
  'EXISTS (SELECT FROM control.account a WHERE a.id = account)');
CALL tenancy.protect('control.subscription', 'SELECT, DELETE',
  'EXISTS (SELECT FROM control.account a WHERE a.id = account)');

-- Nobody but its owner changes what is in the audit trail, and that only by its one way out.
REVOKE UPDATE, DELETE ON control.audit FROM mailstream_service;
REVOKE EXECUTE ON FUNCTION control.expire_audit(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION control.expire_audit(integer) TO mailstream_service;
