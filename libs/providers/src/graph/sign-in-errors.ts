/** Whatever Microsoft's sign-in answers in place of tokens, as a classified `ProviderError` that says who has to do what. Pure. */
import { cleanText, type FailureClass } from '@mailstream/contracts';
import { type Static, Type } from 'typebox';
import Value from 'typebox/value';
import type { Answer } from '../oidc.ts';
import { ProviderError } from '../provider.ts';

type Verdict = readonly [failure: FailureClass, code: string, message: string];

const AGAIN = 'its owner has to sign in again';

// The owner of the mailbox has to act.
const ENDED: Verdict = [
  'auth',
  'microsoft.consent_ended',
  `Microsoft no longer accepts the consent for this mailbox: ${AGAIN}.`,
];
const VERIFICATION: Verdict = [
  'auth',
  'microsoft.verification_needed',
  `Microsoft wants to know for sure who uses this mailbox: ${AGAIN} and confirm it.`,
];
const POLICY: Verdict = [
  'auth',
  'microsoft.policy',
  `A policy of the organisation forbids this access: ${AGAIN} from a place and device that are allowed, or the administrator has to allow it.`,
];
const NOT_AGREED: Verdict = [
  'auth',
  'microsoft.not_agreed',
  `Nobody has agreed yet that this mailbox is read: ${AGAIN} and agree; in some organisations an administrator has to.`,
];
const PASSWORD: Verdict = [
  'auth',
  'microsoft.password_expired',
  `The password of this account has expired: ${AGAIN} and choose a new one.`,
];
const DISABLED: Verdict = [
  'auth',
  'microsoft.account_disabled',
  `This account is disabled or unknown: the administrator has to enable it, then ${AGAIN}.`,
];

// The operator has to act: no account is the worse for it.
const APP: Verdict = [
  'permanent',
  'microsoft.app_rejected',
  'Microsoft rejects the application: the operator has to correct MS_CLIENT_ID, MS_CLIENT_SECRET, MS_AUTHORITY or the registration. Nobody has to sign in again.',
];
const REDIRECT: Verdict = [
  'permanent',
  'microsoft.redirect_unknown',
  'Microsoft does not know where to come back to: the operator has to add the redirect address to the registration of the application.',
];

const DIRECTORY_UNKNOWN: Verdict = [
  'permanent',
  'microsoft.directory_unknown',
  'Microsoft does not know this directory: correct "directory" in the settings of the account, or MS_AUTHORITY.',
];

// It passes.
const UNAVAILABLE: Verdict = [
  'network',
  'microsoft.sign_in_unavailable',
  'Microsoft’s sign-in does not work at the moment; it is tried again.',
];
const THROTTLED: Verdict = [
  'quota',
  'microsoft.sign_in_throttled',
  'Microsoft’s sign-in was asked too often; it is tried again later.',
];

const PROTOCOL: Verdict = [
  'parse',
  'microsoft.sign_in_protocol',
  'Microsoft’s sign-in answered in an unexpected way; are MS_AUTHORITY and MS_TOKEN_URL right?',
];

/** By the number behind `AADSTS` (learn.microsoft.com, "Microsoft Entra authentication and authorization error codes"). */
const BY_NUMBER: ReadonlyMap<number, Verdict> = new Map(
  (
    [
      [ENDED, [50089, 50132, 50133, 50173, 54005, 70000, 70008, 70043, 501481, 700082, 700084]],
      [VERIFICATION, [50072, 50074, 50076, 50078, 50079, 50158]],
      [POLICY, [53000, 53001, 53002, 53003, 53004]],
      [NOT_AGREED, [65001, 65004, 90094, 90095]],
      [PASSWORD, [50055]],
      [DISABLED, [50034, 50057]],
      [DIRECTORY_UNKNOWN, [90002]],
      [APP, [50194, 70001, 70003, 70011, 500011, 650053, 650057, 700016, 700027, 700054, 900144]],
      [APP, [7000112, 7000215, 7000216, 7000218, 7000222]],
      [REDIRECT, [50011]],
      [UNAVAILABLE, [90024, 90033]],
      [THROTTLED, [50196]],
    ] as const
  ).flatMap(([verdict, numbers]) => numbers.map((number) => [number, verdict] as const)),
);

/** By `error`, for numbers nobody told us of (RFC 6749, 4.1.2.1 and 5.2; OpenID Connect Core, 3.1.2.6). */
const BY_NAME = new Map(
  Object.entries<Verdict>({
    invalid_grant: ENDED,
    login_required: ENDED,
    interaction_required: VERIFICATION,
    consent_required: NOT_AGREED,
    access_denied: NOT_AGREED,
    invalid_client: APP,
    unauthorized_client: APP,
    invalid_request: APP,
    invalid_scope: APP,
    unsupported_grant_type: APP,
    unsupported_response_type: APP,
    temporarily_unavailable: UNAVAILABLE,
    server_error: UNAVAILABLE,
  }),
);

const ErrorBody = Type.Object({
  error: Type.String(),
  error_description: Type.Optional(Type.String()),
  error_codes: Type.Optional(Type.Array(Type.Number())),
});
type ErrorBody = Static<typeof ErrorBody>;

/** An answer that holds no tokens. */
export function signInError({ status, body, retryAfterMs }: Answer): ProviderError {
  const said = Value.Check(ErrorBody, body) ? body : null;
  const [failure, code, message] = (said && verdictOf(said)) ?? byStatus(status);
  const heard = said?.error_description?.split(/\s*(?:Trace ID|Correlation ID|\r|\n)/)[0];
  const text = heard ? `${message} Microsoft said: ${heard}` : message;
  return new ProviderError(failure, code, cleanText(text, 900), {
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  });
}

function verdictOf({ error, error_description = '', error_codes = [] }: ErrorBody): Verdict | null {
  const [number = Number(/AADSTS(\d+)/.exec(error_description)?.[1])] = error_codes;
  return BY_NUMBER.get(number) ?? BY_NAME.get(error) ?? null;
}

function byStatus(status: number): Verdict {
  if (status === 429) return THROTTLED;
  return status >= 500 ? UNAVAILABLE : PROTOCOL;
}

/** What people agreed to does not suffice. */
export function scopesInsufficient(why: string): ProviderError {
  return new ProviderError(
    'permanent',
    'microsoft.scopes_insufficient',
    `Microsoft was asked for too little: ${why}. The operator has to correct MS_SCOPES, which must hold at least openid, profile, offline_access and User.Read.`,
  );
}

/** The answer, if there is one. */
export async function heard(answer: Promise<Answer>): Promise<Answer> {
  return answer.catch((error: unknown) => {
    throw unheard(error);
  });
}

/** No answer: what `fetch` or `jose` threw. */
export function unheard(error: unknown): ProviderError {
  const late = error instanceof Error && /^(TimeoutError|JWKSTimeout)$/.test(error.name);
  if (late)
    return new ProviderError(
      'timeout',
      'microsoft.sign_in_timeout',
      'Microsoft’s sign-in did not answer in time; it is tried again.',
      { cause: error },
    );
  const [failure, code, message] = UNAVAILABLE;
  return new ProviderError(failure, code, message, { cause: error });
}
