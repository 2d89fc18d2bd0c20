/** The rows of `fold.incident`: repairs that folds made by themselves. */
import type { FoldIncident } from '@mailstream/contracts';
import type { Sql } from '@mailstream/db';

export async function recordIncident(sql: Sql, incident: Omit<FoldIncident, 'at'>): Promise<void> {
  await sql.query('INSERT INTO fold.incident (fold, partition, kind, detail) VALUES ($1, $2, $3, $4)', [
    incident.fold,
    incident.partition,
    incident.kind,
    incident.detail,
  ]);
}

/** The latest repairs of all folds, newest first. */
export async function incidents(sql: Sql, limit = 100): Promise<FoldIncident[]> {
  const rows = await sql.query<Omit<FoldIncident, 'at'> & { at: Date }>(
    'SELECT fold, partition, kind, detail, at FROM fold.incident ORDER BY id DESC LIMIT $1',
    [limit],
  );
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}
