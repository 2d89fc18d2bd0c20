/** Callers of the API for tests: genuine tokens, signed with a secret that only tests use. */
import { SCOPES } from '@mailstream/contracts';
import {
  type Authenticate,
  createAuthenticate,
  DEFAULT_TENANT,
  type Principal,
  signToken,
} from '@mailstream/runtime';

export const TEST_SECRET = 'a secret of 32 bytes or more, for tests';
const HOUR_MS = 3_600_000;

/** Knows the tokens of `tokenOf`, and no API key. */
export const authenticate: Authenticate = createAuthenticate(
  { jwksUrl: null, key: TEST_SECRET, issuer: 'mailstream', audience: 'mailstream', tenantClaim: 'tenant' },
  async () => null,
);

/** A token for an hour; of the default tenant and with all scopes unless said otherwise. */
export function tokenOf(caller: Partial<Principal> = {}): Promise<string> {
  const principal = { tenant: DEFAULT_TENANT, subject: 'test', scopes: SCOPES, ...caller };
  return signToken(TEST_SECRET, principal, new Date(Date.now() + HOUR_MS));
}
