/** The pull of the list of labels, and whether anything happened in the mailbox at all: two units. */
import { countOf, textOf } from '../json.ts';
import type { Page, PullRequest } from '../provider.ts';
import type { GmailClient } from './client.ts';
import { followLabels, readLabelsCursor } from './labels.ts';

/** Labels that are made, renamed or removed leave no history: all of them are read at each look. */
export async function* pullMailboxes(
  client: GmailClient,
  { cursor, signal }: PullRequest,
): AsyncGenerator<Page> {
  const profile = await client.get('getProfile', '/profile', {}, signal);
  const labels = await client.get('labels.list', '/labels', {}, signal);
  const origin = cursor === null ? 'backfill' : 'live';
  const followed = followLabels(readLabelsCursor(cursor), labels, {
    state: textOf(profile, 'historyId') ?? '',
    messages: countOf(profile, 'messagesTotal'),
    origin,
  });
  if (followed.changes.length === 0) return;
  const changes = followed.changes.map((data) => ({ kind: 'mailbox' as const, data }));
  yield { changes, cursor: followed.cursor, origin, done: true, estimate: null };
}
