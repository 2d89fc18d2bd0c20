/** The errors of Google's sign-in. */

/** Thrown where a request fails. */
export class SignInFault extends Error {
  override readonly name = 'SignInFault';
  readonly status: number;
  readonly error: string;
  readonly subtype: string | null;

  constructor(error: string, description: string, subtype: string | null = null) {
    super(description);
    this.error = error;
    this.subtype = subtype;
    this.status = error === 'invalid_client' || error === 'unauthorized_client' ? 401 : 400;
  }
}

export const expiredOrRevoked = () => new SignInFault('invalid_grant', 'Token has been expired or revoked.');

/** What each error says when the test that plans it does not. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  invalid_grant: 'Token has been expired or revoked.',
  invalid_client: 'The OAuth client was not found.',
  unauthorized_client: 'Unauthorized',
  admin_policy_enforced: 'The administrator of this account has not allowed the application.',
  access_denied: 'The user denied access.',
  invalid_request: 'Bad Request',
  invalid_scope: 'Some requested scopes were invalid.',
  redirect_uri_mismatch: 'Bad Request',
};

/** A failure to come. Exactly one of `error` and `status`. */
export interface GoogleFailure {
  readonly at: 'authorize' | 'token';
  readonly times: number;
  /** `invalid_grant`, `invalid_client`, `access_denied`, `admin_policy_enforced`, … */
  readonly error?: string;
  readonly description?: string;
  /** `error_subtype`, for example `invalid_rapt`. */
  readonly subtype?: string;
  /** 429, 500, 503, … without a JSON body. */
  readonly status?: number;
  /** Only requests for this address; any when absent. */
  readonly mailbox?: string;
}

export function faultOf({ error = 'invalid_grant', description, subtype }: GoogleFailure): SignInFault {
  return new SignInFault(error, description ?? DESCRIPTIONS[error] ?? error, subtype ?? null);
}
