/** Takes secrets out of what a server says: some repeat the request in their errors. */

const CENSORED = '[secret]';
/** Shorter ones would be found by accident everywhere. */
const SHORTEST = 4;

/** `text` without these, and without the forms in which they travel. Do it before text is cut: what is cut in half is not found. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const forms = secrets.filter(({ length }) => length >= SHORTEST).flatMap(formsOf);
  // The longest first: one may hold another.
  return forms
    .sort((a, b) => b.length - a.length)
    .reduce((rest, form) => rest.replaceAll(form, CENSORED), text);
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    // Of JSON and of IMAP's quoted strings.
    JSON.stringify(secret).slice(1, -1),
    secret.replaceAll(/["\\]/g, '\\$&'),
    encodeURIComponent(secret),
    new URLSearchParams([['', secret]]).toString().slice(1),
    bytes.toString('base64'),
    bytes.toString('base64url'),
  ];
}
