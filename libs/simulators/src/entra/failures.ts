/** The errors of the token endpoint, by AADSTS number. */

interface Failure {
  readonly error: string;
  readonly message: string;
}

const FAILURES: Readonly<Record<number, Failure>> = {
  // The person has to act.
  70008: { error: 'invalid_grant', message: 'The provided authorization code or refresh token has expired.' },
  70043: {
    error: 'invalid_grant',
    message: 'The refresh token has expired due to sign-in frequency checks.',
  },
  700082: { error: 'invalid_grant', message: 'The refresh token has expired due to inactivity.' },
  700084: { error: 'invalid_grant', message: 'The refresh token was issued to a single page app.' },
  50055: { error: 'invalid_grant', message: 'The password is expired.' },
  50057: { error: 'invalid_grant', message: 'The user account is disabled.' },
  50132: { error: 'invalid_grant', message: 'The session is not valid.' },
  50133: {
    error: 'invalid_grant',
    message: 'Session is invalid due to expiration or recent password change.',
  },
  50173: { error: 'invalid_grant', message: 'The provided grant has expired due to it being revoked.' },
  54005: { error: 'invalid_grant', message: 'OAuth2 authorization code was already redeemed.' },
  50074: { error: 'interaction_required', message: 'Strong authentication is required.' },
  50076: { error: 'interaction_required', message: 'You must use multi-factor authentication.' },
  50078: { error: 'interaction_required', message: 'Presented multi-factor authentication has expired.' },
  50079: { error: 'interaction_required', message: 'You must enroll in multi-factor authentication.' },
  50158: { error: 'interaction_required', message: 'External security challenge not satisfied.' },
  53000: { error: 'interaction_required', message: 'Device is not in required device state.' },
  53001: { error: 'interaction_required', message: 'Device is not domain joined.' },
  53002: { error: 'interaction_required', message: 'The app used is not an approved app.' },
  53003: {
    error: 'interaction_required',
    message: 'Access has been blocked by Conditional Access policies.',
  },
  65001: {
    error: 'invalid_grant',
    message: 'The user or administrator has not consented to use the application.',
  },
  65004: { error: 'access_denied', message: 'User declined to consent to access the app.' },
  // The operator has to act.
  50011: { error: 'invalid_request', message: 'The redirect URI does not match the ones configured.' },
  700016: { error: 'unauthorized_client', message: 'Application was not found in the directory.' },
  7000215: { error: 'invalid_client', message: 'Invalid client secret provided.' },
  7000222: { error: 'invalid_client', message: 'The provided client secret keys are expired.' },
  // It passes.
  90024: { error: 'temporarily_unavailable', message: 'A transient error has occurred.' },
  90033: { error: 'temporarily_unavailable', message: 'A transient error has occurred. Please try again.' },
  // The request is wrong.
  70000: { error: 'invalid_grant', message: 'The provided grant is invalid.' },
  70003: { error: 'unsupported_grant_type', message: 'The app requested an unsupported grant type.' },
  501481: { error: 'invalid_grant', message: 'The Code_Verifier does not match the code_challenge.' },
  900144: { error: 'invalid_request', message: 'The request body is missing a required parameter.' },
};

/** Thrown where a request to Entra fails. */
export class EntraFault extends Error {
  override readonly name = 'EntraFault';
  readonly aadsts: number;
  readonly error: string;
  readonly status: number;

  /** Throws for a number that is not in the table. */
  constructor(aadsts: number) {
    const failure = FAILURES[aadsts];
    if (!failure) throw new Error(`AADSTS${aadsts} is not known here; add it to the table of failures.`);
    super(`AADSTS${aadsts}: ${failure.message}`);
    this.aadsts = aadsts;
    this.error = failure.error;
    this.status = failure.error === 'invalid_client' || aadsts === 700016 ? 401 : 400;
  }
}

export function knownFailures(): number[] {
  return Object.keys(FAILURES).map(Number);
}
