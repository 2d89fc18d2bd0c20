/** The token broker: the only way a fetcher gets to connect, by request and reply, never stored. */
import type { Bus } from '@mailstream/bus';
import { type CredentialsReply, CredentialsRequest, isUuid } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { ProviderError } from '@mailstream/providers';
import type { Part } from '@mailstream/runtime';
import { Compile } from 'typebox/compile';
import type { ProviderCatalog } from '../accounts/provider-catalog.ts';
import type { CredentialUses } from '../audit/credential-uses.ts';
import type { AccessTokens } from './access-tokens.ts';
import { VaultError } from './keys.ts';
import type { Stored, Vault } from './vault.ts';

export interface BrokerDeps {
  readonly bus: Bus;
  readonly db: Db;
  readonly vault: Vault;
  readonly providers: ProviderCatalog;
  readonly tokens: AccessTokens;
  readonly uses: CredentialUses;
}

interface CredentialRow extends Stored {
  state: string;
  provider: string;
  settings: unknown;
  credentialVersion: number;
}

const question = Compile(CredentialsRequest);

/** Answers `broker.credentials.<tenant>.<account>` with a `CredentialsReply`. Any replica may answer. */
export function createBroker({ bus, db, vault, providers, tokens, uses }: BrokerDeps): Part {
  async function answer(subject: string, data: Uint8Array): Promise<CredentialsReply> {
    const [, , tenant = '', account = ''] = subject.split('.');
    const { refused, fetcher } = questionIn(data);
    const [row] = await db.query<CredentialRow>(
      `SELECT a.state, a.provider, a.settings, a.credential_version AS "credentialVersion",
              c.key_id AS "keyId", c.data_key AS "dataKey", c.sealed
         FROM control.account a JOIN control.credential c ON c.account = a.id
        WHERE a.id = $1 AND a.tenant = $2`,
      [isUuid(account) ? account : null, tenant],
    );
    if (!row) {
      return { ok: false, failure: 'gone', code: 'account.unknown', message: 'the account was removed' };
    }
    if (row.state === 'paused') {
      return { ok: false, failure: 'conflict', code: 'account.paused', message: 'the account is paused' };
    }
    const { state: _, provider, settings, credentialVersion, ...stored } = row;
    const { oauth } = providers.get(provider);
    const note = (refusedFor: string | null) =>
      uses.note({
        tenant,
        account,
        fetcher: fetcher ?? 'unnamed',
        credentialVersion,
        refused: refusedFor,
      });
    try {
      const credential = oauth
        ? await tokens.get({ account, oauth, stored }, refused ?? null)
        : (await vault.open({ kind: 'credential', of: account }, stored)).value;
      await note(null);
      return { ok: true, settings, credential, credentialVersion };
    } catch (error) {
      const reply = refusal(error);
      if (!reply.ok) await note(reply.code);
      return reply;
    }
  }

  return {
    name: 'token broker',
    run: (signal) => bus.respond('broker.credentials.*.*', 'orchestrator', answer, signal),
  };
}

function questionIn(data: Uint8Array): CredentialsRequest {
  const asked: unknown = JSON.parse(new TextDecoder().decode(data));
  return question.Check(asked) ? asked : {};
}

/** Throws what is neither the provider's nor the vault's doing: the job is then tried again, and the account is none the worse. */
function refusal(error: unknown): CredentialsReply {
  if (error instanceof ProviderError) {
    const { failure, code, message, retryAfterMs } = error;
    return { ok: false, failure, code, message, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
  }
  if (error instanceof VaultError) {
    const { failure, code, message } = error;
    return { ok: false, failure, code, message };
  }
  throw error;
}
