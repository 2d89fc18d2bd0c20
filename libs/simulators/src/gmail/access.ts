/** Who may ask what: tokens, scopes, and whose mailbox a path is about. */
import type { GmailAccount, GoogleGrant } from './accounts.ts';
import { GoogleFault, invalid } from './errors.ts';
import { isAllowed, methodOf, seesOnlyMetadata } from './methods.ts';

export type TokenCheck =
  | { readonly kind: 'valid'; readonly grant: GoogleGrant }
  | { readonly kind: 'missing' | 'unknown' | 'expired' | 'revoked' };

const HELP =
  'Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.';
const LOCATION = { location: 'Authorization', locationType: 'header' };

/** Throws 401 for a token that is not valid. */
export function grantOf(check: TokenCheck): GoogleGrant {
  if (check.kind === 'valid') return check.grant;
  if (check.kind === 'missing')
    throw new GoogleFault(401, 'required', `Request is missing required authentication credential. ${HELP}`, {
      short: 'Login Required.',
      location: LOCATION,
    });
  throw new GoogleFault(401, 'authError', `Request had invalid authentication credentials. ${HELP}`, {
    short: 'Invalid Credentials',
    location: LOCATION,
    headers: { 'www-authenticate': 'Bearer realm="https://accounts.google.com/", error="invalid_token"' },
  });
}

export interface Asked {
  readonly method: string;
  /** After `/gmail/v1/users/`, the user first. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** The mailbox, the name of the method, and the path after the user. Throws 403 and 404 for what is out of reach. */
export function admit(
  { method: verb, segments, query }: Asked,
  grant: GoogleGrant,
): { readonly account: GmailAccount; readonly method: string; readonly segments: readonly string[] } {
  const [user = '', ...rest] = segments.map(decoded);
  const method = methodOf(verb, rest);
  if (!method) throw new GoogleFault(404, 'notFound', 'Not Found');
  const { account, scopes } = grant;
  if (!account || (user !== 'me' && user.toLowerCase() !== account.address))
    throw new GoogleFault(403, 'forbidden', `Delegation denied for ${account?.address ?? user}`);
  if (!isAllowed(method, scopes))
    throw new GoogleFault(403, 'insufficientPermissions', 'Request had insufficient authentication scopes.', {
      short: 'Insufficient Permission',
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
          domain: 'googleapis.com',
          metadata: { service: 'gmail.googleapis.com', method: `caribou.api.proto.${method.name}` },
        },
      ],
    });
  if (seesOnlyMetadata(scopes) && query.has('q'))
    throw new GoogleFault(403, 'forbidden', "Metadata scope does not support 'q' parameter");
  const format = (query.get('format') ?? 'full').toLowerCase();
  const reads = method.name === 'messages.get' || method.name === 'threads.get';
  if (
    seesOnlyMetadata(scopes) &&
    ((reads && /^(full|raw)$/.test(format)) || method.name === 'attachments.get')
  )
    throw new GoogleFault(403, 'forbidden', `Metadata scope doesn't allow format ${format.toUpperCase()}`);
  if (account.refusal === 'access-denied')
    throw new GoogleFault(403, 'domainPolicy', 'The domain administrators have disabled Gmail apps.');
  if (account.refusal === 'no-mailbox')
    throw new GoogleFault(400, 'failedPrecondition', 'Mail service not enabled');
  return { account, method: method.name, segments: rest };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalid(`Invalid path segment: ${segment}`);
  }
}
