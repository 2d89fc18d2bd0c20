/** Access tokens of accounts that were signed in with: kept until shortly before their end, and issued by one process at a time. */
import { hashToken, nullable } from '@mailstream/contracts';
import type { Db, Tx } from '@mailstream/db';
import { AccessToken, type Grant, type OAuth, ProviderError } from '@mailstream/providers';
import { createTurns } from '@mailstream/runtime';
import { type Static, Type } from 'typebox';
import Value from 'typebox/value';
import { unreadable } from './keys.ts';
import type { Opened, Stored, Vault } from './vault.ts';

/** A token is replaced this long before its end, milliseconds: a session needs five minutes of it. */
const EARLY_MS = 5 * 60_000;
/** And up to this much earlier, so that accounts connected together do not stay in step. */
const JITTER_MS = 2 * 60_000;
/** A token with less time left is of no use to anybody, milliseconds. */
const USELESS_MS = 60_000;
/** A token that replaced a refused one and is refused so soon would not be mended by another, milliseconds. */
const PATIENCE_MS = 60_000;
/** Tokens asked for at a time: each occupies a database connection while the provider answers. */
const AT_ONCE = 6;

/** What is sealed for such an account: the grant, the token that was issued last, and when one last replaced a refused one. */
const Kept = Type.Object({
  grant: Type.Unknown(),
  access: nullable(AccessToken),
  replacedAt: nullable(Type.String()),
});
type Kept = Static<typeof Kept>;

/** An account that was signed in with. */
export interface SignedIn {
  readonly account: string;
  readonly oauth: OAuth;
  /** Its credential as it was read a moment ago. */
  readonly stored: Stored;
}

export interface AccessTokens {
  /**
   * A token with at least five minutes left, where the provider can be asked. `refused` is the `hashToken` of one that it refused. Whoever
   * asks at the same time, in any process, gets the same token. Throws `ProviderError` and `VaultError`.
   */
  get(of: SignedIn, refused: string | null): Promise<AccessToken>;
}

/** What to seal: the grant, and the token issued just now, if any. */
export function toKeep(grant: Grant, access: AccessToken | null): Kept {
  return { grant, access, replacedAt: null };
}

export function createAccessTokens({ db, vault }: { db: Db; vault: Vault }): AccessTokens {
  const turns = createTurns(AT_ONCE);
  const underWay = new Map<string, Promise<AccessToken>>();

  async function open(account: string, stored: Stored): Promise<Kept & Pick<Opened, 'reseal'>> {
    const { value, reseal } = await vault.open({ kind: 'credential', of: account }, stored);
    if (Value.Check(Kept, value)) return { ...value, reseal };
    throw unreadable(new Error('it has another shape'));
  }

  async function lock(tx: Tx, account: string): Promise<Stored & { settings: unknown }> {
    const [row] = await tx.query<Stored & { settings: unknown }>(
      `SELECT a.settings, c.key_id AS "keyId", c.data_key AS "dataKey", c.sealed FROM control.credential c JOIN control.account a ON a.id = c.account
        WHERE c.account = $1 FOR UPDATE OF c`,
      [account],
    );
    if (!row) throw new ProviderError('gone', 'account.unknown', 'the account was removed');
    return row;
  }

  /** The lock makes it one process at a time; whoever waited for it finds the token that was issued meanwhile. */
  async function replace({ account, oauth }: SignedIn, refused: string | null): Promise<AccessToken> {
    return db.tx(async (tx) => {
      const { settings, ...stored } = await lock(tx, account);
      const { grant, access, replacedAt, reseal } = await open(account, stored);
      if (access && isFresh(access, refused)) return access;
      const isRefused = access !== null && hashToken(access.accessToken) === refused;
      if (isRefused && replacedAt !== null) refuseStorm(replacedAt);
      try {
        const issued = await oauth.issue(grant, settings);
        await tx.query('UPDATE control.credential SET sealed = $2 WHERE account = $1', [
          account,
          reseal({
            ...issued,
            replacedAt: isRefused ? new Date().toISOString() : replacedAt,
          } satisfies Kept),
        ]);
        return issued.access;
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        // A connection lost meanwhile took the lock with it, and another process may have stored a newer grant: then this fails, and not the account.
        await lock(tx, account);
        const lasts = access !== null && !isRefused && leftOf(access) > USELESS_MS;
        if (lasts && error.failure !== 'auth') return access;
        throw error;
      }
    });
  }

  return {
    async get(of, refused) {
      const { access } = await open(of.account, of.stored);
      if (access && isFresh(access, refused)) return access;
      const key = `${of.account} ${refused}`;
      const running = underWay.get(key);
      if (running !== undefined) return running;
      const own = turns(() => replace(of, refused)).finally(() => underWay.delete(key));
      underWay.set(key, own);
      return own;
    },
  };
}

function isFresh(access: AccessToken, refused: string | null): boolean {
  return hashToken(access.accessToken) !== refused && leftOf(access) > EARLY_MS + Math.random() * JITTER_MS;
}

function leftOf({ expiresAt }: AccessToken): number {
  return Date.parse(expiresAt) - Date.now();
}

/** Throws when the token that is refused is itself in the place of one that was refused a moment ago. */
function refuseStorm(replacedAt: string): void {
  const wait = Date.parse(replacedAt) + PATIENCE_MS - Date.now();
  if (wait <= 0) return;
  throw new ProviderError(
    'conflict',
    'account.token_refused',
    'the provider refuses one access token after the other; the next is asked for in a minute',
    { retryAfterMs: wait },
  );
}
