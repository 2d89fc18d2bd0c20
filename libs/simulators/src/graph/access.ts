/** Who may ask what: tokens, and whose mailbox a path is about. */
import type { Grant, TokenCheck } from '../entra/tokens.ts';
import type { Account, Accounts } from './accounts.ts';
import { badRequest, GraphFault } from './errors.ts';

const TOKEN_PROBLEMS = {
  missing: 'Access token is empty.',
  malformed: 'IDX14100: JWT is not well formed, there are no dots (.).',
  unknown: 'Access token validation failure. Invalid signature.',
  expired: 'Lifetime validation failed, the token is expired.',
  revoked:
    'Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp',
};

/** Throws 401 for a token that is not valid. */
export function grantOf(check: TokenCheck): Grant {
  if (check.kind === 'valid') return check.grant;
  throw new GraphFault(401, 'InvalidAuthenticationToken', TOKEN_PROBLEMS[check.kind], {
    'www-authenticate': 'Bearer realm="", error="invalid_token"',
  });
}

/** Whose mailbox a path is about; for paths about none the asker's own. Throws 403 and 404 for those out of reach. */
export function ownerOf(owner: string | null, grant: Grant, accounts: Accounts): Account | null {
  if (owner === null) return grant.account;
  const account = owner === 'me' ? grant.account : accounts.find(owner);
  if (owner === 'me' && !account) throw onlyDelegated();
  if (!account) throw new GraphFault(404, 'ErrorInvalidUser', `The requested user '${owner}' is invalid.`);
  if ((grant.account && grant.account !== account) || account.refusal === 'access-denied')
    throw new GraphFault(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
  if (account.refusal === 'no-mailbox')
    throw new GraphFault(
      404,
      'MailboxNotEnabledForRESTAPI',
      'REST API is not yet supported for this mailbox.',
    );
  return account;
}

export function onlyDelegated(): GraphFault {
  return badRequest('/me request is only valid with delegated authentication flow.');
}
