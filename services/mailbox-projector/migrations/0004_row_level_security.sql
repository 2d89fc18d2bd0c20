-- Each tenant's rows are its own; the API only reads.
do $$ begin execute format('grant usage on schema %I to mailstream_service, mailstream_api', current_schema()); end $$;
grant select on migrations to mailstream_service;
call tenancy.protect('account', 'select');
call tenancy.protect('mailbox', 'select');
call tenancy.protect('message', 'select');
call tenancy.protect('copy', 'select');
call tenancy.protect('thread', 'select');
call tenancy.protect('thread_ref', '');
call tenancy.protect('cursor', 'select');
call tenancy.protect('run', 'select');
