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
import { createGmailClient } from './client.ts';
import { labelIdsOf } from './labels.ts';
import type { Ledger } from './ledger.ts';
import { pullMail } from './mailbox.ts';
import { pullMailboxes } from './mailboxes.ts';
import type { Open, Tuning } from './open.ts';
import { createWatch } from './watch.ts';

/** A token that ends sooner is not begun with. */
const TOKEN_MARGIN_MS = 5 * 60_000;

export interface SessionDeps {
  readonly gmailUrl: string;
  readonly gates: Gates;
  readonly ledger: Ledger;
  readonly tuning: Tuning;
}

export function openSession(
  { account, credential, renew }: ConnectRequest,
  { gmailUrl, gates, ledger, tuning }: SessionDeps,
): Session {
  const { timeoutMs, now } = tuning;
  let current = checked(credential);
  const client = createGmailClient({
    account,
    gmailUrl,
    gates,
    ledger,
    async token(refused) {
      if (refused === current.accessToken) current = checked(await renew());
      return current.accessToken;
    },
    timeoutMs,
    now,
  });

  async function* pull(request: PullRequest): AsyncGenerator<Page> {
    const { scope, signal } = request;
    if (signal.aborted) return;
    if (scope === MAILBOXES_SCOPE) return yield* pullMailboxes(client, request);
    let labels: Promise<ReadonlySet<string>> | undefined;
    const readLabels = async () =>
      new Set(labelIdsOf(await client.get('labels.list', '/labels', {}, signal)));
    const open: Open = {
      client,
      tuning,
      ledger,
      account,
      signal,
      labels: () => {
        labels ??= readLabels();
        return labels;
      },
    };
    yield* pullMail(open, request);
  }

  return {
    pull,
    subscriptions: createWatch(client, now),
    usable: () => Date.parse(current.expiresAt) - now() > TOKEN_MARGIN_MS,
    close: async () => undefined,
  };
}

function checked(credential: unknown): AccessToken {
  if (Value.Check(AccessToken, credential)) return credential;
  throw new ProviderError(
    'auth',
    'gmail.credential_invalid',
    'The credential of this Gmail account is no access token: connect it anew.',
  );
}
