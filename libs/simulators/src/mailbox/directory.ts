/** Who has a mailbox at a provider. */

export interface Directory<Account> {
  add(account: Account): void;
  /** By address or id, in any case; undefined when unknown. */
  find(name: string): Account | undefined;
  all(): Iterable<Account>;
}

export function createDirectory<
  Account extends { readonly id: string; readonly address: string },
>(): Directory<Account> {
  const byAddress = new Map<string, Account>();
  const byId = new Map<string, Account>();
  return {
    add: (account) => {
      byAddress.set(account.address, account);
      byId.set(account.id, account);
    },
    find: (name) => byAddress.get(name.toLowerCase()) ?? byId.get(name.toLowerCase()),
    all: () => byAddress.values(),
  };
}
