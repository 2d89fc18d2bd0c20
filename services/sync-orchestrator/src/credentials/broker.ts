/** The token broker: the only way a fetcher gets to connect, by request and reply, never stored. */
import type { Bus } from '@mailstream/bus';
import { type CredentialsReply, isUuid } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { AppError, type Part } from '@mailstream/runtime';
import type { Vault } from './vault.ts';

interface CredentialRow {
  state: string;
  settings: unknown;
  credentialVersion: number;
  sealed: Uint8Array;
}

/** Answers `broker.credentials.<tenant>.<account>` with a `CredentialsReply`. Any replica may answer. */
export function createBroker({ bus, db, vault }: { bus: Bus; db: Db; vault: Vault }): Part {
  async function answer(subject: string): Promise<CredentialsReply> {
    const [, , tenant, account = ''] = subject.split('.');
    const [row] = await db.query<CredentialRow>(
      `SELECT a.state, a.settings, a.credential_version AS "credentialVersion", c.sealed
         FROM control.account a JOIN control.credential c ON c.account = a.id
        WHERE a.id = $1 AND a.tenant = $2 AND a.removed_at IS NULL`,
      [isUuid(account) ? account : null, tenant],
    );
    if (!row) {
      return { ok: false, failure: 'gone', code: 'account.unknown', message: 'the account was removed' };
    }
    if (row.state === 'paused') {
      return { ok: false, failure: 'conflict', code: 'account.paused', message: 'the account is paused' };
    }
    try {
      const credential = vault.open(account, row.sealed);
      return { ok: true, settings: row.settings, credential, credentialVersion: row.credentialVersion };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { ok: false, failure: 'permanent', code: error.code, message: error.message };
    }
  }

  return {
    name: 'token broker',
    run: (signal) => bus.respond('broker.credentials.*.*', 'orchestrator', answer, signal),
  };
}
