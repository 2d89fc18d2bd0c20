/** Google's tokens and codes that were given out, and what they are worth now. */
import type { Clock } from '../clock.ts';
import type { TokenCheck } from '../gmail/access.ts';
import type { GmailAccount, GoogleClient, GoogleGrant } from '../gmail/accounts.ts';
import type { Random } from '../random.ts';
import { expiredOrRevoked, SignInFault } from './failures.ts';

/** What a person agreed to on the consent page. */
export interface GoogleConsent {
  readonly account: GmailAccount;
  readonly client: GoogleClient;
  readonly scopes: readonly string[];
  readonly redirectUri: string;
  readonly nonce: string | null;
  /** Null when none was sent. */
  readonly challenge: { readonly method: 'S256' | 'plain'; readonly value: string } | null;
  /** Whether a refresh token comes with it. */
  readonly offline: boolean;
}

export interface GoogleTokens {
  issueAccess(grant: GoogleGrant, lifetimeMs: number): string;
  issueRefresh(consent: Pick<GoogleConsent, 'account' | 'client' | 'scopes'>): string;
  issueCode(consent: GoogleConsent): string;
  /** The value of an `Authorization` header. */
  check(authorization: string | undefined): TokenCheck;
  /** Throws `SignInFault` when it is revoked, too old, or unused for too long. */
  useRefresh(token: string, client: GoogleClient): Pick<GoogleConsent, 'account' | 'scopes'>;
  /** What a code stands for, for ten minutes and until it is spent. Throws `SignInFault`. */
  consentOf(code: string): GoogleConsent;
  spendCode(code: string): void;
  /** The scopes somebody has agreed to so far; empty before the first consent. */
  granted(account: GmailAccount, client: GoogleClient): readonly string[];
  /** Makes everything given out for an account so far useless. */
  revoke(account: GmailAccount): void;
  /** Revokes the consent behind one token of either kind; false for no living token. */
  revokeToken(token: string): boolean;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const CODE_MS = 10 * MINUTE;
const UNUSED_MS = 180 * DAY;
const TESTING_MS = 7 * DAY;
/** Of one account and client; the oldest dies silently. */
const MOST_REFRESH_TOKENS = 100;

interface Refresh {
  readonly account: GmailAccount;
  readonly client: GoogleClient;
  readonly scopes: readonly string[];
  readonly issuedAt: number;
  usedAt: number;
}

export function createGoogleTokens(clock: Clock, random: Random): GoogleTokens {
  const access = new Map<
    string,
    { readonly grant: GoogleGrant; readonly expiresAt: number; revoked: boolean }
  >();
  const refresh = new Map<string, Refresh>();
  const codes = new Map<string, { readonly consent: GoogleConsent; readonly expiresAt: number }>();
  const consents = new Map<string, readonly string[]>();
  const opaque = (prefix: string) =>
    `${prefix}${Array.from({ length: 12 }, () => random.int(2 ** 32).toString(36)).join('')}`;
  const pair = (account: GmailAccount, client: GoogleClient) => `${account.id} ${client.id}`;

  const forget = (account: GmailAccount, client: GoogleClient | null) => {
    const own = (of: { account: GmailAccount | null; client: GoogleClient }) =>
      of.account === account && (client === null || of.client === client);
    for (const token of access.values()) if (own(token.grant)) token.revoked = true;
    for (const [token, of] of refresh) if (own(of)) refresh.delete(token);
    for (const key of consents.keys())
      if (client ? key === pair(account, client) : key.startsWith(`${account.id} `)) consents.delete(key);
  };
  return {
    issueAccess: (grant, lifetimeMs) => {
      const now = clock.now();
      for (const [token, { expiresAt }] of access) if (expiresAt < now - 60 * MINUTE) access.delete(token);
      const token = opaque('ya29.');
      access.set(token, { grant, expiresAt: now + lifetimeMs, revoked: false });
      return token;
    },
    issueRefresh: ({ account, client, scopes }) => {
      const own = [...refresh].filter(([, of]) => of.account === account && of.client === client);
      const [oldest] = own;
      if (oldest && own.length >= MOST_REFRESH_TOKENS) refresh.delete(oldest[0]);
      const token = opaque('1//0');
      refresh.set(token, { account, client, scopes, issuedAt: clock.now(), usedAt: clock.now() });
      return token;
    },
    issueCode: (consent) => {
      consents.set(pair(consent.account, consent.client), consent.scopes);
      const code = opaque('4/0');
      codes.set(code, { consent, expiresAt: clock.now() + CODE_MS });
      return code;
    },
    check: (authorization) => {
      const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
      if (token === undefined) return { kind: 'missing' };
      const known = access.get(token);
      if (!known) return { kind: 'unknown' };
      if (known.revoked) return { kind: 'revoked' };
      return known.expiresAt <= clock.now() ? { kind: 'expired' } : { kind: 'valid', grant: known.grant };
    },
    useRefresh: (token, client) => {
      const known = refresh.get(token);
      if (!known || known.client !== client) throw expiredOrRevoked();
      const now = clock.now();
      if (known.usedAt + UNUSED_MS <= now || (client.testing && known.issuedAt + TESTING_MS <= now))
        throw expiredOrRevoked();
      known.usedAt = now;
      return known;
    },
    consentOf: (code) => {
      const known = codes.get(code);
      if (!known) throw new SignInFault('invalid_grant', 'Malformed auth code.');
      if (known.expiresAt <= clock.now()) throw new SignInFault('invalid_grant', 'Bad Request');
      return known.consent;
    },
    spendCode: (code) => {
      const known = codes.get(code);
      // A second use finds it expired.
      if (known) codes.set(code, { ...known, expiresAt: 0 });
    },
    granted: (account, client) => consents.get(pair(account, client)) ?? [],
    revoke: (account) => forget(account, null),
    revokeToken: (token) => {
      const known = refresh.get(token) ?? access.get(token)?.grant;
      if (!known?.account) return false;
      forget(known.account, known.client);
      return true;
    },
  };
}
