/** Accounts by what a person calls them. */
import { Account, pageOf } from '@mailstream/contracts';
import type { Api } from './api.ts';
import { CliError } from './errors.ts';
import { dateTime, printable } from './format.ts';

export async function listAccounts(api: Api): Promise<Account[]> {
  return (await api.get(pageOf(Account), '/v1/accounts')).items;
}

/** The account with this id or name, or the only one whose id or name begins so. Throws `CliError` naming the choices. */
export function pickAccount(accounts: readonly Account[], called: string): Account {
  const exact = accounts.filter((account) => account.id === called || account.name === called);
  const lower = called.toLowerCase();
  const alike = accounts.filter(
    (account) => account.id.startsWith(lower) || account.name.toLowerCase().startsWith(lower),
  );
  const [found, ...others] = exact.length > 0 ? exact : alike;
  if (found && others.length === 0) return found;
  if (found)
    throw new CliError(
      `"${called}" could be ${[found, ...others].map(nameAndId).join(' or ')}: say more of it`,
    );
  const known =
    accounts.length === 0 ? 'there are no accounts' : `there is ${accounts.map(nameAndId).join(', ')}`;
  throw new CliError(`no account is called "${called}": ${known}`);
}

function nameAndId(account: Account): string {
  return `"${account.name}" (${account.id})`;
}

export async function findAccount(api: Api, called: string): Promise<Account> {
  return pickAccount(await listAccounts(api), called);
}

/** How changes are noticed: `push until 2026-01-31 14:05`, `poll (why not push)`, `IDLE`. */
export function describePush({ push, webhook }: Account): string {
  if (webhook === null) return push === 'idle' ? 'IDLE' : 'poll';
  const how = webhook.until === null ? 'poll' : `push until ${dateTime(webhook.until)}`;
  return webhook.reason === null ? how : `${how} (${printable(webhook.reason)})`;
}
