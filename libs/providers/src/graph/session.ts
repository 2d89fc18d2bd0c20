/** An authenticated conversation with one mailbox, as the provider port wants it. */
import { MAILBOXES_SCOPE } from '@mailstream/contracts';
import Value from 'typebox/value';
import type { Gates } from '../gate.ts';
import { AccessToken } from '../oauth.ts';
import {
  type ConnectRequest,
  type Page,
  ProviderError,
  type PullRequest,
  type Session,
} from '../provider.ts';
import { createGraphClient } from './client.ts';
import { pullMailbox } from './mailbox.ts';
import { idsOfAliases, pullMailboxes } from './mailboxes.ts';
import type { Open, Tuning } from './open.ts';
import type { GraphSettings } from './settings.ts';
import { createSubscriptions } from './subscriptions.ts';

/** A token that ends sooner is not begun with. */
const TOKEN_MARGIN_MS = 5 * 60_000;

const DISCARDS = 'recoverableitemsdeletions';

export interface SessionDeps {
  readonly graphUrl: string;
  readonly gates: Gates;
  readonly tuning: Tuning;
}

export function openSession(
  { mailbox }: GraphSettings,
  { account, credential, renew }: ConnectRequest,
  { graphUrl, gates, tuning }: SessionDeps,
): Session {
  let current = checked(credential);
  const owner = mailbox === null ? '/me' : `/users/${encodeURIComponent(mailbox)}`;
  const client = createGraphClient({
    account,
    graphUrl,
    owner,
    gates,
    async token(refused) {
      if (refused === current.accessToken) current = checked(await renew());
      return current.accessToken;
    },
    timeoutMs: tuning.timeoutMs,
    now: tuning.now,
  });

  /** Asked for at most once: it is where it is. */
  let discards: string | null | undefined;

  async function* pull(request: PullRequest): AsyncGenerator<Page> {
    const { scope, address: folder, signal } = request;
    if (signal.aborted) return;
    if (scope === MAILBOXES_SCOPE) return yield* pullMailboxes(client, request, tuning);
    if (folder === null)
      throw new ProviderError('permanent', 'graph.address_missing', `Folder ${scope} has no address.`);
    const open: Open = {
      client,
      mailbox: scope,
      folder,
      tuning,
      signal,
      async discards() {
        if (discards === undefined)
          discards = (await idsOfAliases(client, [DISCARDS], signal)).get(DISCARDS) ?? null;
        return discards;
      },
    };
    yield* pullMailbox(open, request);
  }

  return {
    pull,
    subscriptions: createSubscriptions({ client, owner, now: tuning.now }),
    usable: () => Date.parse(current.expiresAt) - tuning.now() > TOKEN_MARGIN_MS,
    close: async () => undefined,
  };
}

function checked(credential: unknown): AccessToken {
  if (Value.Check(AccessToken, credential)) return credential;
  throw new ProviderError(
    'auth',
    'graph.credential_invalid',
    'The credential of this Microsoft account is no access token: connect it anew.',
  );
}
