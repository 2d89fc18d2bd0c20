/** Tokens and codes that were given out, and what they are worth now. */
import type { Clock } from '../clock.ts';
import type { Account } from '../graph/accounts.ts';
import type { Signer } from '../oauth/signer.ts';
import type { Random } from '../random.ts';
import { EntraFault } from './failures.ts';

/** What an access token allows. `account` is null for an application that acts for itself. */
export interface Grant {
  readonly account: Account | null;
  readonly app: string;
}

export type TokenCheck =
  | { readonly kind: 'valid'; readonly grant: Grant }
  | { readonly kind: 'missing' | 'malformed' | 'unknown' | 'expired' | 'revoked' };

/** What a person agreed to on the consent page. */
export interface Consent {
  readonly account: Account;
  readonly app: string;
  readonly scope: string;
  readonly redirectUri: string;
  readonly nonce: string | null;
  /** `code_challenge` (S256); null when none was sent. */
  readonly challenge: string | null;
}

export interface Tokens {
  issueAccess(grant: Grant, lifetimeMs: number): string;
  issueRefresh(account: Account, app: string, scope: string): string;
  issueCode(consent: Consent): string;
  /** The value of an `Authorization` header. */
  check(authorization: string | undefined): TokenCheck;
  /** Works any number of times until it is unused for 90 days. Throws `EntraFault`. */
  useRefresh(token: string, app: string): { readonly account: Account; readonly scope: string };
  /** What a code stands for, for ten minutes and until it is spent. Throws `EntraFault`. */
  consentOf(code: string): Consent;
  spendCode(code: string): void;
  /** Makes everything given out for an account so far useless. */
  revoke(account: Account): void;
}

const MINUTE = 60_000;
const INACTIVITY_MS = 90 * 24 * 60 * MINUTE;
const CODE_MS = 10 * MINUTE;

interface Refresh {
  readonly account: Account;
  readonly app: string;
  readonly scope: string;
  usedAt: number;
  revoked: boolean;
}

export function createTokens(clock: Clock, random: Random, signer: Signer): Tokens {
  const access = new Map<string, { readonly grant: Grant; readonly expiresAt: number; revoked: boolean }>();
  const refresh = new Map<string, Refresh>();
  const codes = new Map<string, { readonly consent: Consent; readonly expiresAt: number; used: boolean }>();
  const opaque = (prefix: string) =>
    `${prefix}${Array.from({ length: 12 }, () => random.int(2 ** 32).toString(36)).join('')}`;

  return {
    issueAccess: (grant, lifetimeMs) => {
      const now = clock.now();
      for (const [token, { expiresAt }] of access) if (expiresAt < now - 60 * MINUTE) access.delete(token);
      const expiresAt = now + lifetimeMs;
      const claims = {
        aud: 'https://graph.microsoft.com',
        appid: grant.app,
        ...(grant.account ? { oid: grant.account.id, upn: grant.account.address } : {}),
        iat: Math.floor(now / 1_000),
        exp: Math.floor(expiresAt / 1_000),
        uti: opaque(''),
      };
      const token = grant.account?.kind === 'consumer' ? opaque('EwB') : signer.sign(claims);
      access.set(token, { grant, expiresAt, revoked: false });
      return token;
    },
    issueRefresh: (account, app, scope) => {
      const token = opaque('1.AX');
      refresh.set(token, { account, app, scope, usedAt: clock.now(), revoked: false });
      return token;
    },
    issueCode: (consent) => {
      const code = opaque('M.C');
      codes.set(code, { consent, expiresAt: clock.now() + CODE_MS, used: false });
      return code;
    },
    check: (authorization) => {
      const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
      if (token === undefined) return { kind: 'missing' };
      const known = access.get(token);
      if (!known) return { kind: token.includes('.') ? 'unknown' : 'malformed' };
      if (known.revoked) return { kind: 'revoked' };
      return known.expiresAt <= clock.now() ? { kind: 'expired' } : { kind: 'valid', grant: known.grant };
    },
    useRefresh: (token, app) => {
      const known = refresh.get(token);
      if (!known || known.app !== app) throw new EntraFault(70000);
      if (known.revoked) throw new EntraFault(50173);
      if (known.usedAt + INACTIVITY_MS <= clock.now()) throw new EntraFault(700082);
      known.usedAt = clock.now();
      return { account: known.account, scope: known.scope };
    },
    consentOf: (code) => {
      const known = codes.get(code);
      if (!known) throw new EntraFault(70000);
      if (known.used) throw new EntraFault(54005);
      if (known.expiresAt <= clock.now()) throw new EntraFault(70008);
      return known.consent;
    },
    spendCode: (code) => {
      const known = codes.get(code);
      if (known) known.used = true;
    },
    revoke: (account) => {
      for (const token of access.values()) if (token.grant.account === account) token.revoked = true;
      for (const token of refresh.values()) if (token.account === account) token.revoked = true;
    },
  };
}
