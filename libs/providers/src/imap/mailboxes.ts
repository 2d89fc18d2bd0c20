/** The pull of the list of mailboxes, with the state of each: one round trip where the server offers LIST-STATUS. */
import { cleanText, type MailboxRole } from '@mailstream/contracts';
import type { ListResponse } from 'imapflow';
import type { Change, Page } from '../provider.ts';
import type { Connection } from './connection.ts';
import { type Folder, followFolders, isUnfamiliar, missingFrom, readFoldersCursor } from './folders.ts';

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
  const folders = await listFolders(connection);
  // Dovecot goes on to list a deleted mailbox that has children.
  for (const [at, folder] of folders.entries())
    if (folder.selectable && folder.counters === null && (await connection.isGone(folder.path)))
      folders[at] = { ...folder, selectable: false };
  for (const { path, selectable } of missingFrom(memory, folders)) {
    // A listing may be cut short; nothing is removed that still answers.
    if (selectable && !(await connection.isGone(path))) return;
  }
  if (connection.has('OBJECTID'))
    for (const [at, folder] of folders.entries())
      if (folder.selectable && isUnfamiliar(memory, folder))
        folders[at] = { ...folder, id: (await connection.examine(folder.path)).id };
      else
        folders[at] = { ...folder, id: memory.folders.find(({ path }) => path === folder.path)?.id ?? null };

  const origin = stored === null ? 'backfill' : 'live';
  const { changes, cursor } = followFolders(memory, folders, origin);
  if (changes.length === 0) return;
  const page: Change[] = changes.map((data) => ({ kind: 'mailbox', data }));
  yield { changes: page, cursor, origin, done: true, estimate: null };
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
  const all = [...folders.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
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
