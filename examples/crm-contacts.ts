/** Keeps a table of the people who write, with how much and when last, in its own PostgreSQL: `node examples/crm-contacts.ts`. */
import { type Change, connectMailstream } from '@mailstream/client';
import pg from 'pg';
import { natsUser, setting } from './env.ts';

/** A contact's figures are counted from its messages, so a deletion or a repeated message can never leave them wrong. */
const TABLES = `
  CREATE SCHEMA IF NOT EXISTS crm;
  CREATE TABLE IF NOT EXISTS crm.message (
    id uuid PRIMARY KEY, contact text NOT NULL, subject text, received_at timestamptz NOT NULL);
  CREATE INDEX IF NOT EXISTS message_contact ON crm.message (contact, received_at);
  CREATE TABLE IF NOT EXISTS crm.contact (
    address text PRIMARY KEY, name text, mails int NOT NULL, last_subject text, last_mail_at timestamptz NOT NULL)`;

const REFRESH = `
  INSERT INTO crm.contact (address, mails, last_subject, last_mail_at)
  SELECT contact, count(*), (array_agg(subject ORDER BY received_at DESC))[1], max(received_at)
  FROM crm.message WHERE contact = ANY($1) GROUP BY contact
  ON CONFLICT (address) DO UPDATE
  SET mails = excluded.mails, last_subject = excluded.last_subject, last_mail_at = excluded.last_mail_at`;

const TYPES = ['message.created', 'message.updated', 'message.moved', 'message.deleted'] as const;

/** Runs in the transaction that also notes how far it came: all of it happens, once, or nothing. */
async function apply(
  client: pg.PoolClient,
  changes: readonly Change<(typeof TYPES)[number]>[],
): Promise<void> {
  const touched = new Map<string, string | null>();
  for (const { event } of changes) {
    const { id, from, subject, receivedAt } = event.data.state;
    const address = from[0]?.address?.toLowerCase();
    if (!address) continue;
    touched.set(address, from[0]?.name ?? null);
    if (event.type === 'mailstream.message.deleted.v1')
      await client.query('DELETE FROM crm.message WHERE id = $1', [id]);
    else
      await client.query(
        `INSERT INTO crm.message VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET subject = excluded.subject, received_at = excluded.received_at`,
        [id, address, subject, receivedAt],
      );
  }
  const addresses = [...touched.keys()];
  await client.query(REFRESH, [addresses]);
  await client.query(
    `DELETE FROM crm.contact c WHERE address = ANY($1)
     AND NOT EXISTS (SELECT FROM crm.message m WHERE m.contact = c.address)`,
    [addresses],
  );
  for (const [address, name] of touched)
    if (name !== null)
      await client.query('UPDATE crm.contact SET name = $2 WHERE address = $1', [address, name]);
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const pool = new pg.Pool({ connectionString: setting('CRM_DATABASE_URL') });
// A connection that is lost while nobody uses it; the next use opens another.
pool.on('error', (error) => process.stderr.write(`${error.message}\n`));
await pool.query(TABLES);

await using mailstream = await connectMailstream({
  natsUrl: setting('NATS_URL', 'nats://127.0.0.1:8085'),
  ...natsUser(),
  name: 'example-crm',
  api: { url: setting('MAILSTREAM_URL', 'http://127.0.0.1:8080'), token: setting('MAILSTREAM_TOKEN') },
});

const contacts = mailstream.project({
  pool,
  name: 'crm-contacts',
  tables: ['crm.message', 'crm.contact'],
  tenant: setting('MAILSTREAM_TENANT', 'default'),
  types: TYPES,
  apply,
});
if (process.argv.includes('--rebuild')) await contacts.rebuild();
await contacts.run(stop.signal);
await pool.end();
