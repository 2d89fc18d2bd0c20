/** Accounts as the log tells of them. Pure. */
import type { AccountChanged, AccountView } from '@mailstream/contracts';
import type { At } from '../../at.ts';

export interface AccountState extends Omit<AccountView, 'id' | 'version'> {
  readonly account: string;
  readonly tenant: string;
  readonly version: bigint;
}

/** What became of an account, in the words of its fact. */
export interface AccountNews {
  readonly at: At;
  readonly verb: AccountChanged['verb'];
  readonly state: AccountState;
}

export function accountNews(at: At, { verb, ...said }: AccountChanged): AccountNews {
  return { at, verb, state: { ...said, account: at.account, tenant: at.tenant, version: at.sequence } };
}

export function accountView({ account, version, provider, name, state, reason }: AccountState): AccountView {
  return { id: account, version: String(version), provider, name, state, reason };
}
