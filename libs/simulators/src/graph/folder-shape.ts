/** A folder as Graph shows it. */
import type { Folder } from '../mailbox/message.ts';
import type { Account } from './accounts.ts';
import { type Selection, selection, unknownProperty } from './message-shape.ts';

const PROPERTIES: Readonly<Record<string, (folder: Folder, account: Account) => unknown>> = {
  displayName: ({ name }) => name,
  parentFolderId: ({ parent, uid }, { ids }) => ids.ofFolder(parent ?? uid),
  childFolderCount: ({ uid }, { mailbox }) => mailbox.childrenOf(uid).filter((child) => !child.hidden).length,
  unreadItemCount: ({ unread }) => unread,
  totalItemCount: ({ members }) => members.size,
  sizeInBytes: ({ members }) => members.size * 8_192,
  isHidden: ({ hidden }) => hidden,
};

export function folderSelection(query: URLSearchParams): Selection {
  const select = selection(query);
  for (const name of select ?? [])
    if (name !== 'id' && !(name in PROPERTIES)) throw unknownProperty(name, 'mailFolder');
  return select;
}

export function folderShape(folder: Folder, account: Account, select: Selection): Record<string, unknown> {
  const shape: Record<string, unknown> = { id: account.ids.ofFolder(folder.uid) };
  for (const name of select ?? Object.keys(PROPERTIES)) {
    const property = PROPERTIES[name];
    if (property) shape[name] = property(folder, account);
  }
  return shape;
}
