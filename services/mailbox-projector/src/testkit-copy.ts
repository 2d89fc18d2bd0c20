/** For tests: somebody who keeps a copy of all messages by `project()`, and notes every change that does not fit what he has. */
import type { Change, PgClient } from '@mailstream/client';
import type { MessageView } from '@mailstream/contracts';

export const COPY_TABLES = ['copied', 'misfit'] as const;

export const CREATE_COPY = `
  CREATE TABLE copied (id uuid PRIMARY KEY, account text NOT NULL, version bigint NOT NULL, state jsonb NOT NULL);
  CREATE TABLE misfit (what text NOT NULL)`;

export const COPIED_TYPES = [
  'message.created',
  'message.updated',
  'message.moved',
  'message.deleted',
] as const;
type Copied = Change<(typeof COPIED_TYPES)[number]>;

/** Trusts nothing: what is created must be new, what is updated or deleted must be there and older. A deleted message may turn up by a move. */
export async function copy(client: PgClient, changes: readonly Copied[]): Promise<void> {
  for (const { event } of changes) {
    const { state, version } = event.data;
    const before = await client.query('SELECT version::text FROM copied WHERE id = $1', [state.id]);
    const [row] = before.rows as { readonly version: string }[];
    const isNew = event.type === 'mailstream.message.created.v1';
    const mayBeNew = isNew || event.type === 'mailstream.message.moved.v1';
    if (row ? isNew || BigInt(row.version) >= BigInt(version) : !mayBeNew)
      await client.query('INSERT INTO misfit VALUES ($1)', [
        `${event.type} of ${state.id} at ${version}, have ${row?.version ?? 'nothing'}`,
      ]);
    if (event.type === 'mailstream.message.deleted.v1')
      await client.query('DELETE FROM copied WHERE id = $1', [state.id]);
    else await keep(client, state, version);
  }
}

async function keep(client: PgClient, state: MessageView, version: string): Promise<void> {
  await client.query(
    `INSERT INTO copied VALUES ($1, $2, $3, $4)
     ON CONFLICT (id) DO UPDATE SET version = excluded.version, state = excluded.state`,
    [state.id, state.account, version, JSON.stringify(state)],
  );
}
