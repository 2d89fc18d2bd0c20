/** Follows mailboxes from one listing to the next: which is which, what was renamed, what changed. Pure. */
import { hashToken, type MailboxChanged, type MailboxRole, type Origin } from '@mailstream/contracts';

/** Counters by STATUS. */
export interface Counters {
  readonly generation: string;
  readonly uidNext: number;
  readonly messages: number;
  readonly modseq: string;
  readonly unseen: number;
}

/** A mailbox as listed now. */
export interface Folder {
  readonly path: string;
  readonly name: string;
  readonly parentPath: string | null;
  readonly role: MailboxRole | null;
  readonly selectable: boolean;
  /** Null where the server would not say. */
  readonly counters: Counters | null;
  /** MAILBOXID; null where not offered. */
  readonly id: string | null;
}

/** A mailbox as it was told last. */
interface Told extends Folder {
  readonly key: string;
  readonly parent: string | null;
}

/** The cursor of the `mailboxes` scope. */
export interface FoldersCursor {
  readonly v: 1;
  /** How many keys fell out of use; makes the next key at an old path a new one, so that no old cursor of it is taken up. */
  readonly retired: number;
  readonly folders: readonly Told[];
}

export function readFoldersCursor(stored: unknown): FoldersCursor {
  return isFoldersCursor(stored) ? stored : { v: 1, retired: 0, folders: [] };
}

function isFoldersCursor(value: unknown): value is FoldersCursor {
  return typeof value === 'object' && value !== null && 'v' in value && value.v === 1 && 'folders' in value;
}

/** Whether MAILBOXID has to be asked for: the path is new, or other messages are behind it. */
export function isUnfamiliar({ folders }: FoldersCursor, folder: Folder): boolean {
  const told = folders.find(({ path }) => path === folder.path);
  return told === undefined || told.id === null || told.counters?.generation !== folder.counters?.generation;
}

/** Remembered mailboxes that are not in the listing. */
export function missingFrom({ folders }: FoldersCursor, listing: readonly Folder[]): readonly Told[] {
  const paths = new Set(listing.map(({ path }) => path));
  return folders.filter(({ path }) => !paths.has(path));
}

/** What changed between the memory and a complete listing, and the new memory. Parents come before their children. */
export function followFolders(
  memory: FoldersCursor,
  listing: readonly Folder[],
  origin: Origin,
): { changes: MailboxChanged[]; cursor: FoldersCursor } {
  const before = sameMailboxes(memory, listing);
  const kept = new Set([...before.values()].map(({ key }) => key));
  const removed = memory.folders.filter(({ key }) => !kept.has(key));
  const renamed = [...before].filter(([folder, told]) => folder.path !== told.path);
  const retired = memory.retired + removed.length + renamed.length;

  const keys = new Map<string, string>();
  for (const folder of listing) keys.set(folder.path, before.get(folder)?.key ?? newKey(folder, retired));
  const folders = listing.map((folder): Told => {
    const parent = folder.parentPath === null ? null : (keys.get(folder.parentPath) ?? null);
    return { ...folder, key: keys.get(folder.path) ?? newKey(folder, retired), parent };
  });
  const told = new Map(
    memory.folders.map((folder) => [folder.key, JSON.stringify(upsertOf(folder, origin))]),
  );
  const changes: MailboxChanged[] = [
    ...removed.map(({ key }) => ({ op: 'removed' as const, mailbox: key, origin })),
    ...folders
      .map((folder) => upsertOf(folder, origin))
      .filter((upsert) => told.get(upsert.mailbox) !== JSON.stringify(upsert)),
  ];
  return { changes, cursor: { v: 1, retired, folders } };
}

function newKey({ id, path }: Folder, retired: number): string {
  const name = id === null ? ['path', path] : ['id', id];
  return hashToken(...name, ...(retired === 0 ? [] : [String(retired)]));
}

function upsertOf(
  { key, path, name, parent, role, selectable, counters }: Told,
  origin: Origin,
): MailboxChanged {
  const state =
    counters &&
    [counters.generation, counters.uidNext, counters.messages, counters.modseq, counters.unseen].join('.');
  return {
    op: 'upsert',
    mailbox: key,
    address: path,
    path,
    name,
    parent,
    role,
    selectable,
    state,
    messages: counters?.messages ?? null,
    origin,
  };
}

/** Which listed mailbox is which remembered one; the surest sign first. */
function sameMailboxes(memory: FoldersCursor, listing: readonly Folder[]): Map<Folder, Told> {
  const same = new Map<Folder, Told>();
  const left = new Set(memory.folders);
  const pair = (isSame: (told: Told, folder: Folder) => boolean, { unique = false } = {}) => {
    const alike = (told: Told, folder: Folder) =>
      told.selectable === folder.selectable && isSame(told, folder);
    const fresh = listing.filter((folder) => !same.has(folder));
    for (const folder of fresh) {
      const candidates = [...left].filter((told) => alike(told, folder));
      const [told] = candidates;
      if (told === undefined) continue;
      if (unique && (candidates.length > 1 || fresh.filter((other) => alike(told, other)).length > 1))
        continue;
      same.set(folder, told);
      left.delete(told);
    }
  };
  const inSamePlace = (told: Told, folder: Folder) => told.path === folder.path && !(told.id && folder.id);
  pair((told, folder) => told.id !== null && told.id === folder.id);
  pair((told, folder) => inSamePlace(told, folder) && isSameGeneration(told, folder));
  pair(isSameContent, { unique: true });
  // Inside a renamed parent a name and UIDVALIDITY suffice. Parents come before their children, so one pass is enough.
  pair((told, folder) => {
    const parent = [...same].find(([{ path }]) => path === folder.parentPath)?.[1];
    return parent?.path === told.parentPath && told.name === folder.name && isSameGeneration(told, folder);
  });
  pair(inSamePlace);
  return same;
}

function isSameGeneration({ counters: a }: Told, { counters: b }: Folder): boolean {
  return a?.generation === b?.generation;
}

/** What only a rename explains. Never of empty mailboxes: they are alike by chance. */
function isSameContent({ counters: a, id }: Told, { counters: b, id: other }: Folder): boolean {
  if (a === null || b === null || (id !== null && other !== null)) return false;
  return (
    a.messages > 0 && a.generation === b.generation && a.uidNext === b.uidNext && a.messages === b.messages
  );
}
