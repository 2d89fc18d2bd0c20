/** The consent port: accounts that are connected by signing in with the provider. Callers never ask which provider it is. */
import { type Static, type TSchema, Type } from 'typebox';

/** What a session of such an account is opened with. The provider never sees more than this in a fetcher. */
export const AccessToken = Type.Object({
  accessToken: Type.String({ minLength: 1 }),
  expiresAt: Type.String({ description: 'RFC 3339.' }),
});
export type AccessToken = Static<typeof AccessToken>;

/** A JSON value of the provider's own making that access tokens are made from. Stored sealed, and given back as it is. */
export type Grant = unknown;

export interface ConsentRequest {
  /** Where the browser is to come back to. */
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE (RFC 7636); it stays here, only its digest travels. */
  readonly verifier: string;
  /** Settings of the account that is to be connected again; null for a new one. */
  readonly settings: unknown;
}

export interface ConsentAnswer {
  /** The parameters that the browser came back with. */
  readonly parameters: URLSearchParams;
  readonly redirectUri: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** An access token, and the grant to keep from now on: the one before may be worth nothing any more. */
export interface Issued {
  readonly access: AccessToken;
  readonly grant: Grant;
}

/** What a person allowed. */
export interface Consented extends Issued {
  /** Who did, in the provider's own ids: never an address, which may be another person's tomorrow. */
  readonly owner: string;
  readonly settings: unknown;
}

/** Talks to the provider each time and keeps nothing. Throws `ProviderError`: `auth` when the person has to consent again. */
export interface OAuth {
  /** The page where a person signs in and agrees. Throws when the operator has not registered an application. */
  consentUrl(request: ConsentRequest): string;
  /** Who agreed to what, proven. A code is worth something once. */
  redeem(answer: ConsentAnswer): Promise<Consented>;
  /** A new access token. */
  issue(grant: Grant, settings: unknown): Promise<Issued>;
  /** Accounts that nobody signs in for: of an application that acts for itself. Created by request. */
  readonly unattended: {
    readonly settings: TSchema;
    /** The grant. */
    readonly credential: TSchema;
    readonly owner: (settings: unknown) => string;
  };
}
