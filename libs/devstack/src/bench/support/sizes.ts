/** What is stored, in bytes on disk. */
import type { Db } from '@mailstream/db';
import type { Stack } from '../../stack.ts';

/** The whole database: rows, indexes and catalogs. */
export async function databaseBytes(db: Db): Promise<number> {
  const [row] = await db.query<{ bytes: number }>(
    'SELECT pg_database_size(current_database())::float8 AS bytes',
  );
  return row?.bytes ?? 0;
}

/** A stream of NATS, by what the orchestrator tells of it. */
export async function streamBytes(stack: Stack, stream: string): Promise<number> {
  const { url } = stack.unit('sync-orchestrator');
  const headers = { authorization: `Bearer ${stack.token}` };
  const answer = await fetch(`${url}/metrics`, { headers });
  const line = new RegExp(`^mailstream_stream_size\\w*\\{[^}]*stream="${stream}"[^}]*\\} (\\S+)`, 'm');
  const bytes = line.exec(await answer.text())?.[1];
  if (bytes === undefined) throw new Error(`${url}/metrics does not tell the size of ${stream}`);
  return Number(bytes);
}
