/** What entries of a change feed come to: facts, where need be after asking for the message itself. */
import type { Origin } from '@mailstream/contracts';
import { textOf } from '../json.ts';
import type { Change, ProviderError } from '../provider.ts';
import type { Got } from './client.ts';
import type { FeedEntry } from './feed.ts';
import { copyOf, entityOf, mailboxKey, patchOf, SELECT, upsertOf } from './normalize.ts';
import type { Open } from './open.ts';

export interface Told {
  readonly changes: readonly Change[];
  /** What could not be asked for; to be handed in again. */
  readonly unverified: readonly string[];
  /** Why not. */
  readonly failure: ProviderError | null;
}

/** `unverified`: messages of earlier pages that are still to be asked for. */
export async function tell(
  open: Open,
  entries: readonly FeedEntry[],
  unverified: readonly string[],
  origin: Origin,
): Promise<Told> {
  const { mailbox, folder, client, signal } = open;
  const changes: Change[] = [];
  const ask = new Set(unverified);
  for (const { id, entity, removed, whole } of entries) {
    const here = textOf(entity, 'parentFolderId') === folder;
    const patch = removed || whole || !here ? null : patchOf(mailbox, id, entity, origin);
    if (whole && here && !removed)
      changes.push({ kind: 'message', data: upsertOf(mailbox, id, entity, origin) });
    else if (patch) changes.push({ kind: 'message', data: patch });
    // A removal may be a move, and sometimes is not even that: only the message itself says so.
    else ask.add(id);
  }
  const ids = [...ask];
  const got = await client.getEach(
    ids.map((id) => `/messages/${id}?$select=${SELECT}`),
    signal,
  );
  const left: string[] = [];
  let failure: ProviderError | null = null;
  for (const [at, id] of ids.entries()) {
    const one = got[at];
    if (!one) continue;
    if ('error' in one && one.error.failure !== 'gone') {
      left.push(id);
      failure ??= one.error;
    } else changes.push(...(await verified(open, id, one, origin)));
  }
  return { changes, unverified: left, failure };
}

/** A message that moved is told where it is now before it is told to have left: it is never nowhere. */
async function verified(open: Open, id: string, got: Got, origin: Origin): Promise<Change[]> {
  const { mailbox, folder } = open;
  const removed: Change = { kind: 'message', data: { op: 'removed', copy: copyOf(mailbox, id), origin } };
  if ('error' in got) return [removed];
  const message = entityOf(got.body);
  const parent = textOf(message, 'parentFolderId') ?? folder;
  const upsert = (key: string): Change => ({ kind: 'message', data: upsertOf(key, id, message, origin) });
  if (parent === folder) return [upsert(mailbox)];
  return parent === (await open.discards()) ? [removed] : [upsert(mailboxKey(parent)), removed];
}
