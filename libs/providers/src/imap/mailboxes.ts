/** The pull of the list of mailboxes, with the state of each: one round trip where the server offers LIST-STATUS. */
import { cleanText, type MailboxRole } from '@mailstream/contracts';
import type { ListResponse } from 'imapflow';
import type { Change, Page } from '../provider.ts';
import type { Connection } from './connection.ts';
import {
  type Folder,
  type FoldersCursor,
  followFolders,
  isUnfamiliar,
  missingFrom,
  readFoldersCursor,
} from './folders.ts';

const MAX_PATH = 2_000;
const ROLES: ReadonlyMap<string, MailboxRole> = new Map([
  ['\\Inbox', 'inbox'],
  ['\\Sent', 'sent'],
  ['\\Drafts', 'drafts'],
  ['\\Trash', 'trash'],
  ['\\Junk', 'junk'],
  ['\\Archive', 'archive'],
  ['\\All', 'all'],
  ['\\Flagged', 'flagged'],
]);
/** Where labels are folders, these together hold each message once. */
const ONCE: readonly (MailboxRole | null)[] = ['all', 'junk', 'trash'];

export async function* pullMailboxes(connection: Connection, stored: unknown): AsyncGenerator<Page> {
  const memory = readFoldersCursor(stored);
  const listed = await listFolders(connection);
  const folders: Folder[] = [];
  for (const folder of listed) {
    // Dovecot goes on to list a deleted mailbox that has children.
    const gone = folder.selectable && folder.counters === null && (await connection.isGone(folder.path));
    folders.push(gone ? { ...folder, selectable: false } : folder);
  }
  // A listing may be cut short: nothing is removed that still answers.
  for (const folder of missingFrom(memory, listed))
    if (folder.selectable && !(await connection.isGone(folder.path))) folders.push(folder);

  const identified = connection.has('OBJECTID') ? await withIds(connection, memory, folders) : folders;
  const origin = stored === null ? 'backfill' : 'live';
  const { changes, cursor } = followFolders(memory, identified.sort(byPath), origin);
  if (changes.length === 0) return;
  const page: Change[] = changes.map((data) => ({ kind: 'mailbox', data }));
  yield { changes: page, cursor, origin, done: true, estimate: null };
}

/** MAILBOXID is told by SELECT only: asked for once, and again when other messages are behind a path. */
async function withIds(connection: Connection, memory: FoldersCursor, folders: readonly Folder[]) {
  const known = new Map(memory.folders.map(({ path, id }) => [path, id]));
  const identified: Folder[] = [];
  for (const folder of folders) {
    const ask = folder.selectable && isUnfamiliar(memory, folder);
    const id = ask ? await idOf(connection, folder.path) : (known.get(folder.path) ?? null);
    identified.push({ ...folder, id });
  }
  connection.leave();
  return identified;
}

async function idOf(connection: Connection, path: string): Promise<string | null> {
  try {
    return (await connection.examine(path)).id;
  } catch (error) {
    // One mailbox that will not open does not hide the others.
    if (connection.usable()) return null;
    throw error;
  }
}

function byPath(a: Folder, b: Folder): number {
  return a.path < b.path ? -1 : 1;
}

async function listFolders(connection: Connection): Promise<Folder[]> {
  const listing = await connection.list();
  // Names say what a mailbox is for only where the server does not.
  const told = connection.has('SPECIAL-USE') || connection.has('XLIST');
  const folders = new Map<string, Folder>();
  for (const entry of listing) {
    const folder = folderOf(entry, told);
    folders.set(folder.path, folder);
  }
  const all = [...folders.values()];
  if (!connection.quirks.labels || !all.some(({ role }) => role === 'all')) return all;
  return all.map((folder) => ({ ...folder, selectable: folder.selectable && ONCE.includes(folder.role) }));
}

function folderOf(entry: ListResponse, told: boolean): Folder {
  const { path, name, flags, delimiter, status } = entry;
  const clean = cleanText(path, MAX_PATH);
  const isRole = entry.specialUseSource === 'extension' || !told || entry.specialUse === '\\Inbox';
  const counted = status && status.uidValidity !== undefined && status.uidNext !== undefined;
  return {
    path: clean,
    name: cleanText(name, MAX_PATH),
    parentPath: delimiter && path.includes(delimiter) ? cleanText(entry.parentPath, MAX_PATH) : null,
    role: (isRole && ROLES.get(entry.specialUse ?? '')) || null,
    // A name that cannot be said in a fact cannot be opened from one either.
    selectable: !flags.has('\\Noselect') && !flags.has('\\NonExistent') && clean === path,
    counters: counted
      ? {
          generation: String(status.uidValidity),
          uidNext: status.uidNext ?? 0,
          messages: status.messages ?? 0,
          modseq: String(status.highestModseq ?? ''),
          unseen: status.unseen ?? 0,
        }
      : null,
    id: null,
  };
}
