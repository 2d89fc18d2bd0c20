/** Rows for set-based statements: as one JSON array, which `json_to_recordset` takes apart on the other side. */

/**
 * The parameter for `json_to_recordset($n::json) as t (column type, …)`: a row's fields are found by name, lists become arrays. Versions
 * go as text, because a JSON number may be rounded. Costs the server a little more than one array per column, and us as much less.
 */
export function records(rows: Iterable<object>): string {
  return JSON.stringify([...rows]);
}

/** Unix milliseconds as PostgreSQL reads them. */
export function timestamp(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
