/** Who signed in with Microsoft: proven by the signature of an identity token, and by what Graph says of the owner of the access token. */
import type { JWTPayload } from 'jose';
import { Type } from 'typebox';
import Value from 'typebox/value';
import { type Answer, createIdentityVerifier, getWithToken } from '../oidc.ts';
import { ProviderError } from '../provider.ts';
import { inDirectory, type MicrosoftConfig } from './config.ts';
import { heard, scopesInsufficient, signInError, unheard } from './sign-in-errors.ts';

export interface Identity {
  /** Directory and object id: the same for the same person for ever. */
  readonly owner: string;
  /** The address of the mailbox now. */
  readonly user: string;
}

/** Throws `ProviderError`: `microsoft.identity_unproven`, or what kept it from being found out. */
export type Identify = (idToken: string, accessToken: string, nonce: string) => Promise<Identity>;

const Me = Type.Object({
  id: Type.String(),
  mail: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  userPrincipalName: Type.String(),
});

const GUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

export function createIdentify(config: MicrosoftConfig): Identify {
  const { clientId, directory, graphUrl } = config;
  const verify = createIdentityVerifier(inDirectory(config.keysUrl, directory), clientId ?? '');

  function ownerOf({ iss, tid, oid }: JWTPayload): { tid: string; oid: string } {
    if (typeof tid !== 'string' || typeof oid !== 'string')
      throw scopesInsufficient('the identity token names no owner');
    // Under `common` each directory is an issuer of its own.
    if (!GUID.test(tid) || iss !== inDirectory(config.issuer, tid))
      throw unproven('the identity token has another issuer');
    if (GUID.test(directory) && tid !== directory.toLowerCase())
      throw unproven(`the account is in another directory than ${directory}`);
    return { tid, oid };
  }

  return async (idToken, accessToken, nonce) => {
    const claims = await verify(idToken, nonce).catch((error: unknown) => {
      throw notVerified(error);
    });
    const { tid, oid } = ownerOf(claims);
    const me = await heard(getWithToken(`${graphUrl}/me?$select=id,mail,userPrincipalName`, accessToken));
    if (me.status !== 200 || !Value.Check(Me, me.body)) throw meRefused(me);
    if (bare(me.body.id) !== bare(oid))
      throw unproven('the identity token and the mailbox belong to different people');
    return { owner: `${tid}/${oid}`, user: me.body.mail ?? me.body.userPrincipalName };
  };
}

/** Graph writes the ids of personal accounts without the zeros and dashes that they have in tokens. */
function bare(id: string): string {
  return id.replaceAll('-', '').replace(/^0+/, '').toLowerCase();
}

function meRefused(answer: Answer): ProviderError {
  if (answer.status === 429 || answer.status >= 500) return signInError({ ...answer, body: null });
  return scopesInsufficient(
    `Graph did not say whose mailbox it is (status ${answer.status}; is MS_GRAPH_URL right?)`,
  );
}

/** Either the keys could not be had, or the token is not what it should be. */
function notVerified(error: unknown): ProviderError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (error instanceof TypeError || /^(ERR_JOSE_GENERIC|ERR_JWKS_TIMEOUT)$/.test(code)) return unheard(error);
  return unproven(error instanceof Error ? error.message : 'the identity token is not valid', error);
}

function unproven(why: string, cause?: unknown): ProviderError {
  return new ProviderError(
    'auth',
    'microsoft.identity_unproven',
    `Who signed in is not proven: ${why}. Start again from the beginning.`,
    { cause },
  );
}
