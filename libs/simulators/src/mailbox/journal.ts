/** Everything that happened to a mailbox, numbered: what deltas, histories and notifications are derived from. */

export type MessageEvent = 'created' | 'read' | 'changed' | 'moved' | 'deleted';

export interface MessageChange {
  readonly entity: 'message';
  readonly seq: number;
  readonly kind: MessageEvent;
  readonly uid: number;
  readonly conversation: number;
  /** The folder it is in now, or was in when it was deleted. */
  readonly folder: number;
  /** Where a move came from. */
  readonly from: number | null;
  /** The placement it had before a move or deletion. */
  readonly placement: number;
  /** From when on change feeds of `folder` may show it. */
  readonly visibleAt: number;
  /** The same for the folder it left: feeds of two folders are independent of each other. */
  readonly leftVisibleAt: number;
}

export interface FolderChange {
  readonly entity: 'folder';
  readonly seq: number;
  readonly kind: 'created' | 'changed' | 'deleted';
  readonly folder: number;
  readonly visibleAt: number;
}

export type Change = MessageChange | FolderChange;

export interface Journal {
  /** The number of the last change; 0 when nothing happened yet. */
  head(): number;
  record(change: Omit<MessageChange, 'seq'> | Omit<FolderChange, 'seq'>): void;
  /** Changes of a folder's messages, comings and leavings included, in order. */
  ofFolder(folder: number): readonly MessageChange[];
  /** Changes of the folders themselves, in order. */
  ofFolders(): readonly FolderChange[];
  /** Calls `listener` for every change from now on, at once. */
  listen(listener: (change: Change) => void): void;
}

export function createJournal(): Journal {
  let head = 0;
  const messages = new Map<number, MessageChange[]>();
  const folders: FolderChange[] = [];
  const listeners: ((change: Change) => void)[] = [];

  const append = (folder: number, change: MessageChange) => {
    const list = messages.get(folder);
    if (list) list.push(change);
    else messages.set(folder, [change]);
  };

  return {
    head: () => head,
    record: (recorded) => {
      const change: Change = { ...recorded, seq: ++head };
      if (change.entity === 'folder') folders.push(change);
      else {
        append(change.folder, change);
        if (change.from !== null && change.from !== change.folder) append(change.from, change);
      }
      for (const listener of listeners) listener(change);
    },
    ofFolder: (folder) => messages.get(folder) ?? [],
    ofFolders: () => folders,
    listen: (listener) => {
      listeners.push(listener);
    },
  };
}
