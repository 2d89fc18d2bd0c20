/** Which entries a round of a change feed has: computed when the round begins, written out page by page. */
import type { DeltaBehaviour } from '../behaviour.ts';
import type { FolderChange, MessageChange } from '../mailbox/journal.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Folder } from '../mailbox/message.ts';
import type { Random } from '../random.ts';

/**
 * How an entry is shown: `full`, `read` (only the read state), `stale` (the read state it had before), `removed`. One that left since
 * the round began is shown as removed, whatever was planned.
 */
export interface Entry {
  readonly uid: number;
  /** As of the change, where an id depends on it. */
  readonly placement: number;
  readonly form: 'full' | 'read' | 'stale' | 'removed';
}

export interface Round {
  /** A bare number is an entry in full: first rounds are long. */
  readonly entries: readonly (number | Entry)[];
  /** The journal's number up to which this round and those before it tell. */
  readonly base: number;
}

/** What a token stands for: the options of the first request, and where its round is. */
export interface FeedState {
  readonly select: readonly string[] | null;
  readonly changeType: ChangeType;
  readonly hidden: boolean;
  readonly cap: number | null;
  /** Null between two rounds. */
  readonly round: Round | null;
  readonly offset: number;
  /** The journal's number the rounds before have told up to. */
  readonly base: number;
  readonly afterEmptyPage: boolean;
}

export interface RoundContext {
  readonly mailbox: Mailbox;
  readonly behaviour: DeltaBehaviour;
  readonly random: Random;
  readonly now: number;
}

/** `changeType` of the request; null for all. */
export type ChangeType = 'created' | 'updated' | 'deleted' | null;

/** What the first request of a message feed asks for beside the properties. */
export interface FirstRequest {
  /** Only what was received then or later, 5,000 at most. */
  readonly since: number | null;
  /** By the time it was received; else in no promised order, here that of coming. */
  readonly newestFirst: boolean;
}

/** Everything in the folder that can be seen by now. */
export function firstRound(
  folder: Folder,
  { since, newestFirst }: FirstRequest,
  context: RoundContext,
): Round {
  const { mailbox, behaviour, random } = context;
  const changes = mailbox.journal.ofFolder(folder.uid);
  const seen = visible(changes, 0, folder.uid, context.now);
  const unseen = new Set(
    changes
      .slice(seen.length)
      .filter(
        (change) => (change.kind === 'created' || change.kind === 'moved') && change.folder === folder.uid,
      )
      .map((change) => change.uid),
  );
  const receivedAt = (uid: number) => mailbox.message(uid)?.receivedAt ?? 0;
  let members = [...folder.members];
  if (unseen.size > 0) members = members.filter((uid) => !unseen.has(uid));
  if (since !== null) members = members.filter((uid) => receivedAt(uid) >= since).slice(-5_000);
  if (newestFirst) members.sort((a, b) => receivedAt(b) - receivedAt(a) || b - a);
  const entries: (number | Entry)[] = members;
  if (random.chance(behaviour.initialRemovals)) {
    for (const { uid, placement, folder: elsewhere } of mailbox.messages()) {
      if (elsewhere === folder.uid) continue;
      entries.unshift({ uid, placement, form: 'removed' });
      break;
    }
  }
  return { entries, base: seen.at(-1)?.seq ?? 0 };
}

/** What happened in the folder after `base`, each message once (unless the behaviour says otherwise), in the order of last changes. */
export function laterRound(
  folder: Folder,
  base: number,
  changeType: ChangeType,
  readSelected: boolean,
  context: RoundContext,
): Round {
  const { mailbox, behaviour, random } = context;
  const seen = visible(mailbox.journal.ofFolder(folder.uid), base, folder.uid, context.now);
  const byMessage = new Map<
    number,
    { came: boolean; left: MessageChange | null; changed: boolean; bounced: boolean }
  >();
  for (const change of seen) {
    const so = byMessage.get(change.uid) ?? { came: false, left: null, changed: false, bounced: false };
    const leaves = change.kind === 'deleted' || (change.kind === 'moved' && change.from === folder.uid);
    const comes = !leaves && (change.kind === 'created' || change.kind === 'moved');
    byMessage.delete(change.uid);
    byMessage.set(change.uid, {
      came: so.came || comes,
      left: leaves ? change : so.left,
      changed: so.changed || change.kind === 'changed',
      bounced: so.bounced || (comes && so.left !== null),
    });
  }
  const entries: Entry[] = [];
  for (const [uid, { came, left, changed, bounced }] of byMessage) {
    const message = mailbox.message(uid);
    const placement = left?.placement ?? message?.placement ?? 0;
    if (message?.folder !== folder.uid || (bounced && random.chance(behaviour.lostReturns))) {
      if (changeType === null || changeType === 'deleted') entries.push({ uid, placement, form: 'removed' });
      continue;
    }
    if (changeType !== null && changeType !== (came ? 'created' : 'updated')) continue;
    if (came || changed) entries.push({ uid, placement: message.placement, form: 'full' });
    else if (readSelected) entries.push({ uid, placement: message.placement, form: 'read' });
  }
  return { entries: repeated(entries, folder, context), base: seen.at(-1)?.seq ?? base };
}

/** The same for the folders: every folder there is, or those that changed. */
export function folderRound(base: number | null, withHidden: boolean, context: RoundContext): Round {
  const { mailbox, now } = context;
  const changes = mailbox.journal.ofFolders();
  const from = changes.findIndex((change) => change.seq > (base ?? 0));
  const seen: FolderChange[] = [];
  for (const change of from < 0 ? [] : changes.slice(from)) {
    if (change.visibleAt > now) break;
    seen.push(change);
  }
  const shown = (uid: number) => {
    const folder = mailbox.folder(uid);
    return folder === undefined || (folder.parent !== null && (withHidden || !folder.hidden));
  };
  const uids =
    base === null
      ? [...mailbox.folders()].map((folder) => folder.uid)
      : [...new Set(seen.toReversed().map((change) => change.folder))].reverse();
  return { entries: uids.filter(shown), base: seen.at(-1)?.seq ?? base ?? 0 };
}

/** The changes after `base` up to the first one that cannot be seen yet. */
function visible(
  changes: readonly MessageChange[],
  base: number,
  folder: number,
  now: number,
): readonly MessageChange[] {
  let [low, high] = [0, changes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle]?.seq ?? 0) > base) high = middle;
    else low = middle + 1;
  }
  const later = changes.slice(low);
  const end = later.findIndex(
    (change) => (change.folder === folder ? change.visibleAt : change.leftVisibleAt) > now,
  );
  return end < 0 ? later : later.slice(0, end);
}

function repeated(
  entries: readonly Entry[],
  folder: Folder,
  { behaviour, random, mailbox }: RoundContext,
): Entry[] {
  const all: Entry[] = [];
  const again: Entry[] = [];
  for (const entry of entries) {
    if (entry.form === 'read' && random.chance(behaviour.replays)) all.push({ ...entry, form: 'stale' });
    all.push(entry);
    if (random.chance(behaviour.duplicates)) again.push(entry);
  }
  if (random.chance(behaviour.replays)) {
    const [unchanged] = folder.members;
    const message = unchanged === undefined ? undefined : mailbox.message(unchanged);
    if (message) again.push({ uid: message.uid, placement: message.placement, form: 'full' });
  }
  return [...all, ...again];
}
