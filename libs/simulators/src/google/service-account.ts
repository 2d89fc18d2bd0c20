/** Service accounts: a signed assertion in exchange for a token, of its own or of somebody in the domain. */
import { createPublicKey, verify } from 'node:crypto';
import type { GmailAccount, GmailAccounts, GoogleClient } from '../gmail/accounts.ts';
import { members } from '../gmail/request.ts';
import { SignInFault } from './failures.ts';

/** As in the key file that Google gives out. */
export interface ServiceAccount {
  readonly client_email: string;
  /** PEM. */
  readonly private_key: string;
  readonly private_key_id: string;
  readonly project_id: string;
  readonly token_uri: string;
}

export interface Assertion {
  /** Null: the service account itself. */
  readonly account: GmailAccount | null;
  readonly client: GoogleClient;
  readonly scopes: readonly string[];
}

/**
 * `now`: milliseconds since 1970. `delegated`: whether an administrator lets it act for others. Throws `SignInFault`.
 */
export function readAssertion(
  jwt: string,
  { client_email, private_key, project_id, token_uri }: ServiceAccount,
  accounts: GmailAccounts,
  now: number,
  delegated: boolean,
): Assertion {
  const [head = '', body = '', signature = ''] = jwt.split('.');
  const signed = verify(
    'sha256',
    Buffer.from(`${head}.${body}`),
    createPublicKey(private_key),
    Buffer.from(signature, 'base64url'),
  );
  if (!signed) throw new SignInFault('invalid_grant', 'Invalid JWT Signature.');
  const claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString());
  const { iss, sub, scope, aud, exp, iat } = members(claims);
  if (iss !== client_email) throw new SignInFault('invalid_grant', 'Invalid grant: account not found');
  if (aud !== token_uri) throw new SignInFault('invalid_grant', 'Invalid JWT: Failed audience check.');
  const seconds = now / 1_000;
  if (!(Number(exp) > seconds && Number(iat) <= seconds + 300 && Number(exp) - Number(iat) <= 3_600))
    throw new SignInFault(
      'invalid_grant',
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
    );
  const account = typeof sub === 'string' ? accounts.find(sub) : null;
  if (account === undefined) throw new SignInFault('invalid_grant', 'Invalid email or User ID');
  if (account && !delegated)
    throw new SignInFault(
      'unauthorized_client',
      'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.',
    );
  return {
    account,
    client: { id: client_email, secret: '', redirectUris: [], project: project_id },
    scopes: String(scope ?? '').split(' '),
  };
}
