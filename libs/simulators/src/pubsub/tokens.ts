/** The OIDC tokens that pushes carry: good ones, and each kind that must be refused. */
import type { TokenVariant } from '../behaviour.ts';
import type { Signer } from '../oauth/signer.ts';

export interface PushIdentity {
  readonly audience: string;
  readonly serviceAccountEmail: string;
}

const ISSUER = 'https://accounts.google.com';

/** The JWT; null for `none`. `now`: milliseconds since 1970. */
export function pushToken(
  { audience, serviceAccountEmail }: PushIdentity,
  variant: TokenVariant,
  now: number,
  signer: Signer,
): string | null {
  const seconds = Math.floor(now / 1_000);
  const claims = {
    aud: audience,
    azp: '113774264463038321964',
    email: serviceAccountEmail,
    email_verified: true,
    exp: seconds + 3_600,
    iat: seconds,
    iss: ISSUER,
    sub: '113774264463038321964',
  };
  switch (variant) {
    case 'good':
      return signer.sign(claims);
    case 'none':
      return null;
    case 'wrong-audience':
      return signer.sign({ ...claims, aud: 'https://elsewhere.example.com/' });
    case 'wrong-email':
      return signer.sign({ ...claims, email: 'somebody@another-project.iam.gserviceaccount.com' });
    case 'unverified-email':
      return signer.sign({ ...claims, email_verified: false });
    case 'wrong-issuer':
      return signer.sign({ ...claims, iss: 'https://accounts.example.com' });
    case 'expired':
      return signer.sign({ ...claims, iat: seconds - 7_200, exp: seconds - 3_600 });
    case 'forged': {
      // Signed, but for other claims.
      const [head, , signature] = signer.sign({ ...claims, exp: seconds + 60 }).split('.');
      return `${head}.${encode(claims)}.${signature}`;
    }
    case 'unsigned':
      return `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`;
    default:
      return variant satisfies never;
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
