/** Whatever Google's sign-in answers in place of tokens, as a classified `ProviderError` that says who has to do what. Pure. */
import { cleanText, type FailureClass } from '@mailstream/contracts';
import { textOf } from '../json.ts';
import type { Answer } from '../oidc.ts';
import { ProviderError } from '../provider.ts';

type Verdict = readonly [failure: FailureClass, code: string, message: string];

const AGAIN = 'its owner has to sign in again';

const UNAVAILABLE: Verdict = [
  'network',
  'google.sign_in_unavailable',
  'Google’s sign-in does not work at the moment; it is tried again.',
];
const NOT_AGREED: Verdict = [
  'auth',
  'google.not_agreed',
  `Nobody has agreed yet that this mailbox is read: ${AGAIN} and agree.`,
];
const POLICY: Verdict = [
  'auth',
  'google.policy',
  `The administrators of this organisation do not allow this application: they have to allow it, then ${AGAIN}.`,
];
const APP: Verdict = [
  'permanent',
  'google.app_rejected',
  'Google rejects the application: the operator has to correct GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET or the registration. Nobody has to sign in again.',
];

/** By `error` (RFC 6749, 4.1.2.1 and 5.2; developers.google.com/identity/protocols/oauth2). */
const BY_NAME = new Map(
  Object.entries<Verdict>({
    invalid_grant: [
      'auth',
      'google.consent_ended',
      `Google no longer accepts the consent for this mailbox: ${AGAIN}. It ends when it is taken back, when the password is changed, after six months without use; and after seven days as long as the application is in "testing": publish it in the Google Cloud console.`,
    ],
    access_denied: NOT_AGREED,
    consent_required: NOT_AGREED,
    admin_policy_enforced: POLICY,
    org_internal: POLICY,
    invalid_client: APP,
    deleted_client: APP,
    invalid_request: APP,
    invalid_scope: APP,
    unsupported_grant_type: APP,
    unauthorized_client: [
      'permanent',
      'google.app_rejected',
      'Google does not let the application do this: for a service account an administrator of the domain has to delegate to it the scope in GOOGLE_APP_SCOPE; else correct GOOGLE_CLIENT_ID.',
    ],
    redirect_uri_mismatch: [
      'permanent',
      'google.redirect_unknown',
      'Google does not know where to come back to: the operator has to add the redirect address to the registration of the application.',
    ],
    temporarily_unavailable: UNAVAILABLE,
    server_error: UNAVAILABLE,
  }),
);

/** An answer that holds no tokens. */
export function signInError({ status, body, retryAfterMs }: Answer): ProviderError {
  const [failure, code, message] = verdictOf(
    textOf(body, 'error') ?? '',
    textOf(body, 'error_subtype'),
    status,
  );
  const heard = textOf(body, 'error_description');
  const text = heard ? `${message} Google said: ${heard}` : message;
  return new ProviderError(failure, code, cleanText(text, 900), {
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  });
}

function verdictOf(error: string, subtype: string | null, status: number): Verdict {
  if (subtype === 'invalid_rapt')
    return [
      'auth',
      'google.verification_needed',
      `Google wants to know for sure who uses this mailbox: ${AGAIN} and confirm it.`,
    ];
  const known = BY_NAME.get(error);
  if (known) return known;
  if (status === 429)
    return [
      'quota',
      'google.sign_in_throttled',
      'Google’s sign-in was asked too often; it is tried again later.',
    ];
  if (status >= 500) return UNAVAILABLE;
  return [
    'parse',
    'google.sign_in_protocol',
    'Google’s sign-in answered in an unexpected way; is GOOGLE_TOKEN_URL right?',
  ];
}

/** What people agreed to, or were asked for, does not suffice. */
export function scopesInsufficient(why: string): ProviderError {
  return new ProviderError(
    'auth',
    'google.scopes_insufficient',
    `What was agreed to does not suffice: ${why}. Sign in again and tick all boxes; GOOGLE_SCOPES must hold at least openid, email and a Gmail scope to read.`,
  );
}

export function unproven(why: string, cause?: unknown): ProviderError {
  return new ProviderError(
    'auth',
    'google.identity_unproven',
    `Who signed in is not proven: ${why}. Start again from the beginning.`,
    { cause },
  );
}

/** No answer: what `fetch` or `jose` threw. */
export function unheard(error: unknown): ProviderError {
  const late = error instanceof Error && /^(TimeoutError|JWKSTimeout)$/.test(error.name);
  const [failure, code, message]: Verdict = late
    ? ['timeout', 'google.sign_in_timeout', 'Google’s sign-in did not answer in time; it is tried again.']
    : UNAVAILABLE;
  return new ProviderError(failure, code, message, { cause: error });
}
