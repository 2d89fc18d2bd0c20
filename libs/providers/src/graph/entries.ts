/** What entries of a change feed come to: facts, where need be after asking for the message itself. */
import type { Origin } from '@mailstream/contracts';
import { textOf } from '../json.ts';
import type { Change, ProviderError } from '../provider.ts';
import type { Got } from './client.ts';
import type { Elsewhere } from './cursor.ts';
import { toldElsewhere } from './elsewhere.ts';
import type { FeedEntry } from './feed.ts';
import { copyOf, entityOf, patchOf, SELECT, upsertOf } from './normalize.ts';
import { type Open, placeOf } from './open.ts';

export interface Told {
  readonly changes: readonly Change[];
  /** What could not be asked for; to be handed in again. */
  readonly unverified: readonly string[];
  /** Why not. */
  readonly failure: ProviderError | null;
  /** Messages that were told to be in another folder. */
  readonly elsewhere: readonly Elsewhere[];
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
  const elsewhere: Elsewhere[] = [];
  let failure: ProviderError | null = null;
  for (const [at, id] of ids.entries()) {
    const one = got[at];
    if (!one) continue;
    if ('error' in one && one.error.failure !== 'gone') {
      left.push(id);
      failure ??= one.error;
      continue;
    }
    const place = 'error' in one ? null : await placeOf(open, one.body);
    if (place !== null && place !== mailbox) elsewhere.push(toldElsewhere(id, place, open.tuning));
    changes.push(...verified(mailbox, id, one, place, origin));
  }
  return { changes, unverified: left, failure, elsewhere };
}

/** A message that moved is told where it is now before it is told to have left: it is never nowhere. */
function verified(mailbox: string, id: string, got: Got, place: string | null, origin: Origin): Change[] {
  const removed: Change = { kind: 'message', data: { op: 'removed', copy: copyOf(mailbox, id), origin } };
  if ('error' in got || place === null) return [removed];
  const upsert: Change = { kind: 'message', data: upsertOf(place, id, entityOf(got.body), origin) };
  return place === mailbox ? [upsert] : [upsert, removed];
}
