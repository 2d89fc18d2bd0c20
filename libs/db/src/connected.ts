/** One connection for one purpose, where a pool would be too much. */
import pg from 'pg';
import { connectionString } from './connection.ts';
import { dbErrorOf } from './errors.ts';

/** Ends the connection when `work` is done. Faults of the connection and of statements are `DbError`s. */
export async function connected<T>(
  url: string,
  applicationName: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString: connectionString(url),
    application_name: applicationName,
  });
  // Unheard, the loss of the connection between two statements would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect().catch((error: unknown) => {
      throw dbErrorOf(error);
    });
    return await work(client);
  } catch (error) {
    throw error instanceof pg.DatabaseError ? dbErrorOf(error) : error;
  } finally {
    await client.end().catch(() => undefined);
  }
}
