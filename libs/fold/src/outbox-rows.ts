/** The rows of `fold.outbox`: events decided in a transaction, deleted once they are published. */
import type { Sql } from '@mailstream/db';
import type { OutgoingEvent } from './outgoing-events.ts';

/** One outbox towards one stream: its rows are published in the order of their ids. */
export interface OutboxKey {
  readonly relay: string;
  readonly partition: number;
  readonly target: OutgoingEvent['target'];
}

/** A bundle of events of one transaction. */
export interface OutboxRow {
  readonly id: bigint;
  /** Where the fold stands after the transaction. */
  readonly position: bigint;
  /** Whether it is the transaction's last for this target. */
  readonly isLast: boolean;
  /** Id of its last event. */
  readonly lastEvent: string;
  readonly events: number;
  /** Four lines per event: id and, after a space, its trace context if it has one; type; subject; envelope. None of them can hold a line break: JSON escapes it. */
  readonly body: string;
}

/** What one atomic batch may hold, its marker not counted. */
export const MAX_BATCH = 900;
export const MAX_BATCH_BYTES = 4 * 1_048_576;

/** The rows of one transaction by the stream they go to. */
export interface EmittedRows {
  readonly mail: readonly OutboxRow[];
  readonly changes: readonly OutboxRow[];
}

/** Writes what one transaction has to say. */
export async function writeOutbox(
  sql: Sql,
  relay: string,
  partition: number,
  position: bigint,
  events: readonly OutgoingEvent[],
): Promise<EmittedRows> {
  const { mail = [], changes = [] } = Object.groupBy(events, (event) => event.target);
  return {
    mail: await insert(sql, { relay, partition, target: 'mail' }, position, mail),
    changes: await insert(sql, { relay, partition, target: 'changes' }, position, changes),
  };
}

async function insert(
  sql: Sql,
  { relay, partition, target }: OutboxKey,
  position: bigint,
  events: readonly OutgoingEvent[],
): Promise<OutboxRow[]> {
  const rows: OutboxRow[] = [];
  for (const [bundle, isLast] of bundles(events)) {
    const lastEvent = bundle.at(-1)?.id ?? '';
    const body = bundle
      .map(({ id, type, subject, traceparent, body }) =>
        [traceparent === undefined ? id : `${id} ${traceparent}`, type, subject, body].join('\n'),
      )
      .join('\n');
    const [row] = await sql.query<{ id: bigint }>(
      `INSERT INTO fold.outbox (relay, partition, target, position, is_last, last_event, events, body)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`,
      [relay, partition, target, position, isLast, lastEvent, bundle.length, body],
    );
    if (row) rows.push({ id: row.id, position, isLast, lastEvent, events: bundle.length, body });
  }
  return rows;
}

function* bundles(events: readonly OutgoingEvent[]): Generator<[bundle: OutgoingEvent[], isLast: boolean]> {
  let bundle: OutgoingEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = Buffer.byteLength(event.body);
    if (bundle.length === MAX_BATCH || (bundle.length > 0 && bytes + size > MAX_BATCH_BYTES)) {
      yield [bundle, false];
      bundle = [];
      bytes = 0;
    }
    bundle.push(event);
    bytes += size;
  }
  if (bundle.length > 0) yield [bundle, true];
}

/** The events of a row. */
export function* eventsOf({ body }: OutboxRow): Generator<Omit<OutgoingEvent, 'target'>> {
  const lines = body.split('\n');
  for (let i = 0; i + 3 < lines.length; i += 4) {
    const [names = '', type = '', subject = '', envelope = ''] = lines.slice(i, i + 4);
    const [id = '', traceparent] = names.split(' ');
    yield { id, type, subject, traceparent, body: envelope };
  }
}

/** The next rows to publish. */
export async function readOutbox(sql: Sql, { relay, partition, target }: OutboxKey): Promise<OutboxRow[]> {
  return await sql.query<OutboxRow>(
    `SELECT id, position, is_last AS "isLast", last_event AS "lastEvent", events, body FROM fold.outbox
     WHERE relay = $1 AND partition = $2 AND target = $3 ORDER BY id LIMIT 32`,
    [relay, partition, target],
  );
}

/** Deletes a row and all before it. */
export async function deleteOutboxThrough(
  sql: Sql,
  { relay, partition, target }: OutboxKey,
  id: bigint,
): Promise<void> {
  await sql.query(
    'DELETE FROM fold.outbox WHERE relay = $1 AND partition = $2 AND target = $3 AND id <= $4',
    [relay, partition, target, id],
  );
}

/** Deletes the row that ends with this event and all before it, if it is still there: they were published. */
export async function deleteOutboxThroughEvent(
  sql: Sql,
  { relay, partition, target }: OutboxKey,
  lastEvent: string,
): Promise<void> {
  await sql.query(
    `DELETE FROM fold.outbox WHERE relay = $1 AND partition = $2 AND target = $3 AND id <=
       (SELECT id FROM fold.outbox WHERE relay = $1 AND partition = $2 AND target = $3 AND last_event = $4)`,
    [relay, partition, target, lastEvent],
  );
}

/** Deletes all rows. */
export async function deleteAllOutbox(sql: Sql, { relay, partition, target }: OutboxKey): Promise<void> {
  await sql.query('DELETE FROM fold.outbox WHERE relay = $1 AND partition = $2 AND target = $3', [
    relay,
    partition,
    target,
  ]);
}

/** The positions of rows written before a repair count in a log that is no more. */
export async function forgetOutboxPositions(sql: Sql, relay: string, partition: number): Promise<void> {
  await sql.query('UPDATE fold.outbox SET position = 0 WHERE relay = $1 AND partition = $2', [
    relay,
    partition,
  ]);
}
