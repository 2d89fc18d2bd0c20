/** A key that tokens are checked with, as an operator gives it: a secret, or a public key as PEM or JWK. */
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { AppError, messageOf } from '../errors.ts';

export interface StaticKey {
  readonly key: KeyObject;
  /** What may be signed with it. A public key is never taken for the secret of an HMAC. */
  readonly algorithms: readonly string[];
}

/** As many as HS256 makes of it (RFC 7518 section 3.2). */
const MIN_SECRET_BYTES = 32;

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/** Throws `config.invalid`; the message never holds the key. */
export function staticKey(text: string): StaticKey {
  if (text.startsWith('-----BEGIN')) {
    if (!text.startsWith('-----BEGIN PUBLIC KEY-----'))
      throw invalid('a PEM must be a public key (BEGIN PUBLIC KEY)');
    return publicKey(() => createPublicKey(text));
  }
  if (text.startsWith('{')) return publicKey(() => createPublicKey({ key: readJwk(text), format: 'jwk' }));
  if (Buffer.byteLength(text) < MIN_SECRET_BYTES)
    throw invalid(
      `a secret must have at least ${MIN_SECRET_BYTES} bytes: \`openssl rand -base64 48\` makes one`,
    );
  return { key: createSecretKey(text, 'utf8'), algorithms: ['HS256'] };
}

function publicKey(read: () => KeyObject): StaticKey {
  let key: KeyObject;
  try {
    key = read();
  } catch (cause) {
    throw cause instanceof AppError ? cause : invalid(`it cannot be read: ${messageOf(cause)}`, cause);
  }
  return { key, algorithms: algorithmsOf(key) };
}

function readJwk(text: string): Record<string, unknown> {
  const jwk: Record<string, unknown> = JSON.parse(text);
  if (jwk.kty === 'oct') throw invalid('a secret is given as plain text, not as a JWK');
  if ('d' in jwk) throw invalid('this JWK is a private key; only the public half belongs here');
  return jwk;
}

function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly string[] {
  const pss = ['PS256', 'PS384', 'PS512'];
  if (asymmetricKeyType === 'rsa') return ['RS256', 'RS384', 'RS512', ...pss];
  if (asymmetricKeyType === 'rsa-pss') return pss;
  if (asymmetricKeyType === 'ed25519') return ['EdDSA', 'Ed25519'];
  const curve = CURVES[asymmetricKeyDetails?.namedCurve ?? ''];
  if (asymmetricKeyType === 'ec' && curve !== undefined) return [curve];
  throw invalid(`tokens are not signed with keys of this kind (${asymmetricKeyType})`);
}

function invalid(problem: string, cause?: unknown): AppError {
  return new AppError(
    'config.invalid',
    'permanent',
    `MAILSTREAM_JWT_KEY or the file in MAILSTREAM_JWT_KEY_FILE: ${problem}`,
    { cause },
  );
}
