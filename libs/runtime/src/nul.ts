/** U+0000 in text: JSON and URLs allow it, PostgreSQL does not (its documentation, section 8.3). */

/** Where in a value from outside the first text or name with it stands, as `body/settings/host`; null when nowhere. */
export function findNul(value: unknown, at: string): string | null {
  if (typeof value === 'string') return value.includes('\u0000') ? at : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [name, inner] of Object.entries(value)) {
    const found = name.includes('\u0000') ? at : findNul(inner, `${at}/${name}`);
    if (found !== null) return found;
  }
  return null;
}
