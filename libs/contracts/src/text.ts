/** Makes text that came from mail safe for JSON, Postgres and subjects' payloads: well-formed, without NUL, bounded. */

/**
 * Well-formed Unicode without NUL: lone surrogates become U+FFFD, NUL is dropped (Postgres `text` refuses it, and one bad
 * string would fail a whole batch). At most `max` UTF-16 units; a pair is never cut in half.
 */
export function cleanText(text: string, max = 10_000): string {
  const whole = text.includes('\u0000') ? text.replaceAll('\u0000', '') : text;
  const cut = whole.length > max ? whole.slice(0, max).replace(/[\uD800-\uDBFF]$/, '') : whole;
  return cut.isWellFormed() ? cut : cut.toWellFormed();
}
