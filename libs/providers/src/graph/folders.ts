/** Follows folders from one look to the next: where each is, what it is for, what changed. Pure. */
import {
  cleanText,
  hashToken,
  type MailboxChanged,
  type MailboxRole,
  type MailboxUpsert,
  type Origin,
} from '@mailstream/contracts';
import { countOf, textOf } from '../json.ts';
import { mailboxKey } from './normalize.ts';
import type { Recent } from './recent.ts';

/** A folder as Graph shows it. */
export interface Folder {
  readonly id: string;
  readonly name: string;
  /** Of a folder, or of the root, which is none. */
  readonly parentId: string | null;
  /** A search folder shows messages that are elsewhere. */
  readonly search: boolean;
  readonly messages: number | null;
  /** Differs whenever one of the counters does. */
  readonly state: string;
  readonly children: number;
}

/** The cursor of the `mailboxes` scope. */
export interface FoldersCursor {
  readonly v: 1;
  /** Ids behind well-known names; those that the mailbox does not have are absent. */
  readonly aliases: Readonly<Record<string, string>>;
  /** What was told of each folder, as a digest, by its id. */
  readonly folders: Readonly<Record<string, string>>;
  /** When the tree is walked again, milliseconds. */
  readonly walkAt: number;
  readonly recent: Recent;
}

const NOTHING_TOLD: FoldersCursor = { v: 1, aliases: {}, folders: {}, walkAt: 0, recent: {} };

export function readFoldersCursor(stored: unknown): FoldersCursor {
  return isFoldersCursor(stored) ? stored : NOTHING_TOLD;
}

function isFoldersCursor(value: unknown): value is FoldersCursor {
  return typeof value === 'object' && value !== null && 'v' in value && value.v === 1 && 'recent' in value;
}

const MAX_NAME = 500;

export function folderOf(id: string, value: unknown): Folder {
  const messages = countOf(value, 'totalItemCount');
  const counters = [messages, countOf(value, 'unreadItemCount'), countOf(value, 'sizeInBytes')];
  return {
    id,
    name: cleanText(textOf(value, 'displayName') ?? '', MAX_NAME) || id,
    parentId: textOf(value, 'parentFolderId'),
    search: /mailSearchFolder$/i.test(textOf(value, '@odata.type') ?? ''),
    messages,
    state: counters.map((counter) => counter ?? '').join('.'),
    children: countOf(value, 'childFolderCount') ?? 0,
  };
}

const ROOT = 'msgfolderroot';

/** By well-known names, never by display names: those are in the language of the owner. */
const ROLES: Readonly<Record<string, MailboxRole>> = {
  inbox: 'inbox',
  sentitems: 'sent',
  drafts: 'drafts',
  deleteditems: 'trash',
  junkemail: 'junk',
  archive: 'archive',
};

export const ALIASES: readonly string[] = [ROOT, ...Object.keys(ROLES)];

/** What changed between the memory and a complete list, parents before their children, and what is to be remembered. */
export function followFolders(
  memory: FoldersCursor,
  listed: readonly Folder[],
  now: Pick<FoldersCursor, 'aliases' | 'walkAt' | 'recent'>,
  origin: Origin,
): { changes: MailboxChanged[]; cursor: FoldersCursor } {
  const { aliases, recent } = now;
  const byId = new Map(listed.filter(({ id }) => id !== aliases[ROOT]).map((folder) => [folder.id, folder]));
  const roles = new Map(Object.entries(ROLES).map(([alias, role]) => [aliases[alias], role]));
  const folders: Record<string, string> = {};
  const changes: MailboxChanged[] = [];
  const removed = Object.keys(memory.folders).filter((id) => !byId.has(id));
  for (const id of removed) changes.push({ op: 'removed', mailbox: mailboxKey(id), origin });
  const upserts = [...byId.values()].map((folder): [Folder, MailboxUpsert] => [
    folder,
    upsertOf(folder, byId, roles.get(folder.id) ?? null, recent[folder.id] ?? '', origin),
  ]);
  for (const [{ id }, upsert] of upserts.sort(([, a], [, b]) => (a.path < b.path ? -1 : 1))) {
    const { origin: _, ...said } = upsert;
    const digest = hashToken(JSON.stringify(said));
    folders[id] = digest;
    if (memory.folders[id] !== digest) changes.push(upsert);
  }
  return { changes, cursor: { v: 1, folders, ...now } };
}

function upsertOf(
  folder: Folder,
  byId: ReadonlyMap<string, Folder>,
  role: MailboxRole | null,
  recent: string,
  origin: Origin,
): MailboxUpsert {
  const { id, name, parentId, search, messages, state } = folder;
  const line = [folder];
  for (let above = byId.get(parentId ?? ''); above; above = byId.get(above.parentId ?? '')) {
    // A folder moved while the pages were read may seem to be inside itself.
    if (line.includes(above)) break;
    line.unshift(above);
  }
  return {
    op: 'upsert',
    mailbox: mailboxKey(id),
    address: id,
    path: line.map((each) => each.name).join('/'),
    name,
    parent: parentId !== null && byId.has(parentId) ? mailboxKey(parentId) : null,
    role,
    selectable: !search,
    state: `${state} ${recent}`,
    messages,
    origin,
  };
}
