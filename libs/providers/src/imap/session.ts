/** An authenticated IMAP conversation as the provider port wants it. */
import { MAILBOXES_SCOPE } from '@mailstream/contracts';
import type { Reach } from '@mailstream/runtime';
import { type Page, ProviderError, type PullRequest, type Session } from '../provider.ts';
import { openConnection } from './connection.ts';
import { pullMailbox } from './mailbox.ts';
import { pullMailboxes } from './mailboxes.ts';
import { quirksOfHost } from './quirks.ts';
import type { ImapCredential, ImapSettings } from './settings.ts';
import { inSpans } from './spans.ts';
import type { Tuning } from './steps.ts';
import { watchInbox } from './watch.ts';

export async function openSession(
  settings: ImapSettings,
  credential: ImapCredential,
  { reach, tuning }: { readonly reach: Reach; readonly tuning: Tuning },
  signal: AbortSignal,
): Promise<Session> {
  const quirks = { ...quirksOfHost(settings.host), ...tuning.quirks };
  const connection = await inSpans(settings.host, () =>
    openConnection(settings, credential, { quirks, reach }, signal),
  );

  let failed = false;
  async function* pull(request: PullRequest): AsyncGenerator<Page> {
    if (request.signal.aborted) return;
    // A command that hangs cannot be taken back: a lost job costs its connection.
    const abort = () => connection.abort();
    request.signal.addEventListener('abort', abort, { once: true });
    try {
      if (request.scope === MAILBOXES_SCOPE) yield* pullMailboxes(connection, request.cursor);
      else if (request.address !== null) yield* pullMailbox(connection, request, request.address, tuning);
      else throw new ProviderError('permanent', 'imap.path_missing', `Mailbox ${request.scope} has no path.`);
    } catch (error) {
      // What is behind an unexplained failure may be this one connection: the next pull has a new one.
      failed = !(error instanceof ProviderError && error.failure === 'gone');
      throw error;
    } finally {
      request.signal.removeEventListener('abort', abort);
    }
  }

  return {
    pull,
    watch: (wake, stop) => watchInbox(connection, wake, stop),
    usable: () => !failed && connection.usable(),
    close: () => connection.close(),
  };
}
