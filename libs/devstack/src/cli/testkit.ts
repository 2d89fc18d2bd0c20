/** Accounts as the API tells of them. */
import type { Account } from '@mailstream/contracts';

/** One that is live and has nothing wrong with it. */
export function accountOf(id: string, name: string, more: Partial<Account> = {}): Account {
  return {
    id,
    name,
    tenant: 'default',
    provider: 'imap',
    state: 'live',
    reason: null,
    advice: 'Nothing to do.',
    settings: {},
    push: 'idle',
    webhook: null,
    createdAt: '2026-01-01T00:00:00Z',
    credentialVersion: 1,
    connect: null,
    quota: null,
    scopes: 3,
    scopesBackfilled: 3,
    failure: null,
    ...more,
  };
}
