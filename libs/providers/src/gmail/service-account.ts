/** Tokens for a service account that an administrator lets read the mailboxes of a domain: a signed assertion instead of consent (RFC 7523). */
import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Type } from 'typebox';
import Value from 'typebox/value';
import { parseJson } from '../json.ts';
import { ProviderError } from '../provider.ts';
import type { GoogleConfig } from './config.ts';

const KeyFile = Type.Object({ client_email: Type.String(), private_key: Type.String() });

/** The form to send to the token endpoint. Throws `ProviderError`: `google.not_configured`. */
export async function assertionFor(
  mailbox: string,
  { serviceAccountFile, tokenUrl, appScope }: GoogleConfig,
): Promise<Readonly<Record<string, string>>> {
  if (serviceAccountFile === null) throw notConfigured('it is not set');
  const text = await readFile(serviceAccountFile, 'utf8').catch((error: unknown) => {
    throw notConfigured('the file cannot be read', error);
  });
  const key = parseJson(text);
  if (!Value.Check(KeyFile, key)) throw notConfigured('the file is no such key');
  const { SignJWT } = await import('jose');
  const assertion = await new SignJWT({ scope: appScope })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(key.client_email)
    .setSubject(mailbox)
    .setAudience(tokenUrl)
    .setIssuedAt()
    .setExpirationTime('30m')
    .sign(createPrivateKey(key.private_key));
  return { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
}

function notConfigured(why: string, cause?: unknown): ProviderError {
  return new ProviderError(
    'permanent',
    'google.not_configured',
    `This installation has no Google service account: the operator has to set GOOGLE_SERVICE_ACCOUNT_FILE to its JSON key (${why}).`,
    { cause },
  );
}
