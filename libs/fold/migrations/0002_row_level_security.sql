-- Folds work for all tenants. The API may see how far they are, and say facts of its own tenant through the outbox: the third of each four lines
-- is a subject, `mail.<partition>.<tenant>.…`.
GRANT USAGE ON SCHEMA fold TO mailstream_service, mailstream_api;
GRANT SELECT ON fold.migrations TO mailstream_service;
CALL tenancy.protect('fold.checkpoint', 'SELECT', 'true');
CALL tenancy.protect('fold.chain', 'SELECT');
CALL tenancy.protect('fold.incident', '');
CALL tenancy.protect('fold.outbox', 'SELECT (id), INSERT', $$
  relay = 'control' AND target = 'mail' AND NOT EXISTS (
    SELECT FROM string_to_table(body, E'\n') WITH ORDINALITY AS lines (line, n)
     WHERE n % 4 = 3 AND split_part(line, '.', 3) IS DISTINCT FROM (SELECT tenancy.tenant()))
$$);
