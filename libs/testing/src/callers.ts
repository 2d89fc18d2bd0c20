/** Callers of the API for tests: genuine tokens, signed with a secret that only tests use. */
import { SCOPES } from '@mailstream/contracts';
import {
  type AuthConfig,
  type Authenticate,
  createAuthenticate,
  DEFAULT_TENANT,
  type Principal,
  signToken,
} from '@mailstream/runtime';

const SECRET = 'a secret of 32 bytes or more, for tests';
const HOUR_MS = 3_600_000;

/** For services that are to know the tokens of `tokenOf`. */
export const TEST_AUTH: AuthConfig = {
  jwksUrl: null,
  key: SECRET,
  issuer: 'mailstream',
  audience: 'mailstream',
  tenantClaim: 'tenant',
};

/** Knows those tokens, and no API key. */
export const authenticate: Authenticate = createAuthenticate(TEST_AUTH, async () => null);

/** A token for an hour; of the default tenant and with all scopes unless said otherwise. */
export function tokenOf(caller: Partial<Principal> = {}): Promise<string> {
  const principal = { tenant: DEFAULT_TENANT, subject: 'test', scopes: SCOPES, ...caller };
  return signToken(SECRET, principal, new Date(Date.now() + HOUR_MS));
}
