/** Tokens for a service account: a signed assertion instead of consent (RFC 7523). An administrator may let one act for the people of a domain. */
import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Type } from 'typebox';
import Value from 'typebox/value';
import { parseJson } from '../json.ts';
import { ProviderError } from '../provider.ts';

const KeyFile = Type.Object({ client_email: Type.String(), private_key: Type.String() });

export interface AssertionRequest {
  /** The JSON key of the service account; null: there is none. */
  readonly file: string | null;
  /** The variable that names the file. */
  readonly setting: string;
  readonly scope: string;
  readonly tokenUrl: string;
  /** The person to act for; absent: the service account itself. */
  readonly person?: string;
}

/** The form to send to the token endpoint. Throws `ProviderError`: `google.not_configured`. */
export async function createAssertion(request: AssertionRequest): Promise<Readonly<Record<string, string>>> {
  const { file, setting, scope, tokenUrl, person } = request;
  if (file === null) throw notConfigured(setting, 'it is not set');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw notConfigured(setting, 'the file cannot be read', error);
  });
  const key = parseJson(text);
  if (!Value.Check(KeyFile, key)) throw notConfigured(setting, 'the file is no such key');
  const { SignJWT } = await import('jose');
  const unsigned = new SignJWT({ scope })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(key.client_email)
    .setAudience(tokenUrl)
    .setIssuedAt()
    .setExpirationTime('30m');
  if (person !== undefined) unsigned.setSubject(person);
  const assertion = await unsigned.sign(createPrivateKey(key.private_key));
  return { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
}

function notConfigured(setting: string, why: string, cause?: unknown): ProviderError {
  return new ProviderError(
    'permanent',
    'google.not_configured',
    `This installation has no Google service account: the operator has to set ${setting} to its JSON key (${why}).`,
    { cause },
  );
}
