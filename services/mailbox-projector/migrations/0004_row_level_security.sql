-- Each tenant's rows are its own; the API only reads.
grant usage on schema view to mailstream_service, mailstream_api;
grant select on view.migrations to mailstream_service;
call tenancy.protect('view.account', 'select');
call tenancy.protect('view.mailbox', 'select');
call tenancy.protect('view.message', 'select');
call tenancy.protect('view.copy', 'select');
call tenancy.protect('view.thread', 'select');
call tenancy.protect('view.thread_ref', '');
call tenancy.protect('view.cursor', 'select');
call tenancy.protect('view.run', 'select');
