/** The ways a caller is turned away, with the challenges of RFC 6750 section 3. */
import { HttpError } from '../http-error.ts';

export function missing(): HttpError {
  return new HttpError(
    'auth.missing',
    'auth',
    'send a token or an API key as `Authorization: Bearer <token>` (npm start keeps a token in .mailstream/token)',
    challenge({}),
  );
}

/** `reason` follows "the token …", and is told to whoever sent it. */
export function refused(reason: string, cause?: unknown): HttpError {
  const message = `the token ${reason}`;
  return new HttpError(
    'auth.refused',
    'auth',
    message,
    challenge({ error: 'invalid_token', error_description: message }),
    { cause },
  );
}

export function lacksScope(scope: string): HttpError {
  return new HttpError(
    'auth.scope',
    'forbidden',
    `this needs the scope ${scope}, which the token or API key does not have`,
    challenge({ error: 'insufficient_scope', scope }),
  );
}

/** Nobody can say now whether the caller is who it says. */
export function unavailable(what: string, cause: unknown): HttpError {
  return new HttpError('auth.unavailable', 'network', what, { 'retry-after': '2' }, { cause });
}

function challenge(parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const parts = Object.entries({ realm: 'mailstream', ...parameters });
  // Quotes and backslashes would end the quoted text, and neither helps a reader.
  const text = parts.map(([name, value]) => `${name}="${value.replaceAll(/["\\]|[^ -~]/g, "'")}"`);
  return { 'www-authenticate': `Bearer ${text.join(', ')}` };
}
