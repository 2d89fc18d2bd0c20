/** Values for set-based statements: one array per column, as `unnest` takes them. */

/** The array literal of PostgreSQL for a list inside a list: arrays of arrays would have to be of one length. */
export function arrayLiteral(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

/** Unix milliseconds as PostgreSQL reads them. */
export function timestamp(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
