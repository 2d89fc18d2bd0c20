/** Sign-ins under way: what each was started for, kept until the browser comes back, once and within ten minutes. */
import { createHash, randomBytes } from 'node:crypto';
import type { Db, Tenants } from '@mailstream/db';
import { AppError } from '@mailstream/runtime';
import { Type } from 'typebox';
import Value from 'typebox/value';
import type { Stored, Vault } from '../credentials/vault.ts';

const LIFETIME_MS = 10 * 60_000;

/** Who started a sign-in, and for what. */
export interface Purpose {
  readonly tenant: string;
  /** As the audit trail names who did. */
  readonly actor: string;
  readonly provider: string;
  /** The account to connect again; null for a new one. */
  readonly account: string | null;
  /** Where the browser is sent afterwards; null: it is shown a page. */
  readonly returnTo: string | null;
}

const Secrets = Type.Object({ nonce: Type.String(), verifier: Type.String() });
export interface Begun {
  /** Travels through the browser, and is the proof that it was sent by us. */
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export interface Consents {
  begin(purpose: Purpose): Promise<Begun>;
  /** What the sign-in with this state was for; from then on nobody knows the state. Throws `connect.state_unknown` and `connect.state_expired`. */
  take(state: string): Promise<Purpose & Omit<Begun, 'state'>>;
}

/** Only a digest of the state is stored: who reads the table cannot come back with it. Who does come back says no tenant: the state does. */
export function createConsents({ db, tenants, vault }: { db: Db; tenants: Tenants; vault: Vault }): Consents {
  return {
    async begin({ tenant, actor, provider, account, returnTo }) {
      const [state, nonce, verifier] = [secret(), secret(), secret()];
      const key = digest(state);
      const stored = await vault.seal(purposeOf(key), { nonce, verifier });
      await db.query('DELETE FROM control.consent WHERE expires_at < $1', [
        new Date(Date.now() - LIFETIME_MS),
      ]);
      await tenants.of(tenant).query(
        `INSERT INTO control.consent (state, tenant, actor, provider, account, return_to, key_id, data_key, sealed, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        [
          key,
          tenant,
          actor,
          provider,
          account,
          returnTo,
          stored.keyId,
          stored.dataKey,
          stored.sealed,
          new Date(Date.now() + LIFETIME_MS),
        ],
      );
      return { state, nonce, verifier };
    },

    async take(state) {
      const key = digest(state);
      const [row] = await db.query<Purpose & Stored & { expiresAt: Date }>(
        `DELETE FROM control.consent WHERE state = $1
         RETURNING tenant, actor, provider, account, return_to AS "returnTo", key_id AS "keyId", data_key AS "dataKey",
                   sealed, expires_at AS "expiresAt"`,
        [key],
      );
      if (!row)
        throw new AppError(
          'connect.state_unknown',
          'invalid',
          'this sign-in was finished before, or was not started here: start again from the beginning',
        );
      const { keyId, dataKey, sealed, expiresAt, ...purpose } = row;
      if (expiresAt.getTime() < Date.now())
        throw new AppError(
          'connect.state_expired',
          'invalid',
          'this sign-in took longer than ten minutes: start again from the beginning',
        );
      const { value } = await vault.open(purposeOf(key), { keyId, dataKey, sealed });
      return { ...purpose, ...Value.Parse(Secrets, value) };
    },
  };
}

function purposeOf(key: Buffer) {
  return { kind: 'sign-in', of: key.toString('hex') } as const;
}

/** 256 bits: also a verifier of PKCE as RFC 7636 (4.1) wants it. */
function secret(): string {
  return randomBytes(32).toString('base64url');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
