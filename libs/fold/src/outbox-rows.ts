/** The rows of `fold.outbox`: events decided in a transaction, deleted once they are published. */
import type { Sql } from '@mailstream/db';
import type { OutgoingEvent } from './outgoing-events.ts';

/** One outbox: rows of it are published in the order of their ids, each target by itself. */
export interface OutboxKey {
  readonly relay: string;
  readonly partition: number;
}

export interface OutboxRow {
  readonly id: bigint;
  readonly event: string;
  readonly position: bigint;
  readonly type: string;
  readonly subject: string;
  readonly body: string;
}

/** JSON text holds no line breaks, and neither do ids, types and subjects: a plain join needs no quoting, which large arrays are slow at. */
const LINES = "string_to_array(%, E'\\n')";
const lines = (parameter: string) => LINES.replace('%', parameter);

export async function insertOutbox(
  sql: Sql,
  { relay, partition }: OutboxKey,
  position: bigint,
  events: readonly OutgoingEvent[],
): Promise<void> {
  if (events.length === 0) return;
  const column = (pick: (event: OutgoingEvent) => string) => events.map(pick).join('\n');
  await sql.query(
    `INSERT INTO fold.outbox (relay, partition, position, target, event, type, subject, body)
     SELECT $1, $2, $3, target, event, type, subject, body
     FROM unnest(${lines('$4')}, ${lines('$5')}, ${lines('$6')}, ${lines('$7')}, ${lines('$8')})
       WITH ORDINALITY AS row (target, event, type, subject, body, n)
     ORDER BY n`,
    [
      relay,
      partition,
      position,
      column((event) => event.target),
      column((event) => event.id),
      column((event) => event.type),
      column((event) => event.subject),
      column((event) => event.body),
    ],
  );
}

/** The next rows to publish. */
export async function readOutbox(
  sql: Sql,
  { relay, partition }: OutboxKey,
  target: OutgoingEvent['target'],
  limit: number,
): Promise<OutboxRow[]> {
  return await sql.query<OutboxRow>(
    `SELECT id, event, position, type, subject, body FROM fold.outbox
     WHERE relay = $1 AND partition = $2 AND target = $3 ORDER BY id LIMIT $4`,
    [relay, partition, target, limit],
  );
}

export async function deleteOutboxThrough(
  sql: Sql,
  { relay, partition }: OutboxKey,
  target: OutgoingEvent['target'],
  id: bigint,
): Promise<void> {
  await sql.query(
    'DELETE FROM fold.outbox WHERE relay = $1 AND partition = $2 AND target = $3 AND id <= $4',
    [relay, partition, target, id],
  );
}

/** Deletes the row of this event and all before it, if it is still there: they were published. */
export async function deleteOutboxThroughEvent(
  sql: Sql,
  { relay, partition }: OutboxKey,
  target: OutgoingEvent['target'],
  event: string,
): Promise<void> {
  await sql.query(
    `DELETE FROM fold.outbox WHERE relay = $1 AND partition = $2 AND target = $3 AND id <=
       (SELECT id FROM fold.outbox WHERE relay = $1 AND partition = $2 AND target = $3 AND event = $4)`,
    [relay, partition, target, event],
  );
}

/** Deletes all rows of a target. */
export async function deleteAllOutbox(
  sql: Sql,
  { relay, partition }: OutboxKey,
  target: OutgoingEvent['target'],
): Promise<void> {
  await sql.query('DELETE FROM fold.outbox WHERE relay = $1 AND partition = $2 AND target = $3', [
    relay,
    partition,
    target,
  ]);
}

/** The positions of rows written before a repair count in a log that is no more. */
export async function forgetOutboxPositions(sql: Sql, { relay, partition }: OutboxKey): Promise<void> {
  await sql.query('UPDATE fold.outbox SET position = 0 WHERE relay = $1 AND partition = $2', [
    relay,
    partition,
  ]);
}
