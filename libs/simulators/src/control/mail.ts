/** What a test does to mailboxes: as their owners, their correspondents, or time would. Arguments are plain JSON. */
import type { Clock } from '../clock.ts';
import type { Account } from '../graph/accounts.ts';
import type { Delivery } from '../mailbox/mailbox.ts';
import type { Content, Flag, Folder } from '../mailbox/message.ts';
import type { Random } from '../random.ts';

/** Messages by their immutable ids. */
export interface Selected {
  /** The mailbox's address. */
  readonly mailbox: string;
  readonly ids: readonly string[];
}

/** A folder by its id or well-known alias. */
type FolderName = string;

export interface TrueMessage {
  readonly id: string;
  readonly folder: string;
  readonly read: boolean;
  readonly draft: boolean;
  readonly flag: Flag;
  readonly categories: readonly string[];
  readonly subject: string;
}

export interface TrueFolder {
  readonly id: string;
  readonly parent: string | null;
  readonly name: string;
  readonly hidden: boolean;
  readonly messages: number;
  readonly unread: number;
}

export interface MailControl {
  /** Ids of `count` (1) new messages in `folder` (the inbox), oldest first. */
  deliver(what: {
    readonly mailbox: string;
    readonly count?: number;
    readonly folder?: FolderName;
    readonly kind?: 'message' | 'meeting-request';
    readonly content?: Partial<Omit<Content, 'attachments'>>;
  }): string[];
  move(what: Selected & { readonly to: FolderName }): void;
  copy(what: Selected & { readonly to: FolderName }): string[];
  markRead(what: Selected & { readonly read: boolean }): void;
  flag(what: Selected & { readonly flag: Flag }): void;
  categorise(what: Selected & { readonly categories: readonly string[] }): void;
  /** For good; move to `deleteditems` for what people usually do. */
  remove(what: Selected): void;
  /** The id of the new folder, below the root or `parent`. */
  createFolder(what: {
    readonly mailbox: string;
    readonly name: string;
    readonly parent?: FolderName;
  }): string;
  renameFolder(what: { readonly mailbox: string; readonly folder: FolderName; readonly name: string }): void;
  moveFolder(what: {
    readonly mailbox: string;
    readonly folder: FolderName;
    readonly parent: FolderName;
  }): void;
  /** For good, with all in it. */
  removeFolder(what: { readonly mailbox: string; readonly folder: FolderName }): void;
  /** `operations` random ones of all the above, by the simulator's seed; folders are left alone unless `folders`. */
  churn(what: { readonly mailbox: string; readonly operations: number; readonly folders?: boolean }): void;
  /** What is true, whatever the façades say. Without `folder`: the whole mailbox. */
  messages(what: { readonly mailbox: string; readonly folder?: FolderName }): TrueMessage[];
  folders(what: { readonly mailbox: string }): TrueFolder[];
}

export function createMailControl(
  account: (address: string) => Account,
  random: Random,
  clock: Clock,
): MailControl {
  const folderIn = (of: Account, name: FolderName): Folder => {
    const folder = of.ids.folder(name);
    if (!folder) throw new Error(`There is no folder ${name} in ${of.address}.`);
    return folder;
  };
  const each = ({ mailbox, ids }: Selected, task: (uid: number, of: Account) => void) => {
    const of = account(mailbox);
    for (const id of ids) {
      const message = of.ids.message(id);
      if (!message) throw new Error(`There is no message ${id} in ${mailbox}.`);
      task(message.uid, of);
    }
  };
  const idOf = (of: Account, uid: number) => of.ids.ofMessage({ uid, placement: 0 }, true);

  const operate = (of: Account, withFolders: boolean) => {
    const { mailbox } = of;
    const folders = [...mailbox.folders()].filter((folder) => folder.role !== 'root' && !folder.hidden);
    const folder = folders[random.int(folders.length)] ?? mailbox.root;
    const members = [...folder.members];
    const uid = members[random.int(members.length)];
    const own = folders.filter((candidate) => candidate.role === null);
    const draw = random.next();
    if (withFolders && draw < 0.03)
      mailbox.createFolder(`Folder ${clock.now() % 10_000} ${random.int(1_000)}`, folder.uid);
    else if (withFolders && draw < 0.04 && own.length > 2)
      mailbox.removeFolder(own[random.int(own.length)]?.uid ?? 0);
    else if (uid === undefined || draw < 0.25) mailbox.deliver({ folder: folder.uid });
    else if (draw < 0.45) mailbox.move(uid, folders[random.int(folders.length)]?.uid ?? folder.uid);
    else if (draw < 0.65) mailbox.markRead(uid, random.chance(0.7));
    else if (draw < 0.75) mailbox.change(uid, { flag: random.pick(['none', 'flagged', 'complete']) });
    else if (draw < 0.85)
      mailbox.change(uid, { categories: random.chance(0.5) ? ['Blue'] : ['Blue', 'Work'] });
    else if (draw < 0.9) mailbox.copy(uid, folder.uid);
    else if (draw < 0.95) bounce(of, uid, folders);
    else mailbox.remove(uid);
  };
  const bounce = ({ mailbox }: Account, uid: number, folders: readonly Folder[]) => {
    const home = mailbox.message(uid)?.folder;
    mailbox.move(uid, folders[random.int(folders.length)]?.uid ?? 0);
    if (home !== undefined) mailbox.move(uid, home);
  };

  return {
    deliver: ({ mailbox, count = 1, folder = 'inbox', kind = 'message', content }) => {
      const of = account(mailbox);
      const delivery: Delivery = { folder: folderIn(of, folder).uid, kind, ...(content ? { content } : {}) };
      return Array.from({ length: count }, () => idOf(of, of.mailbox.deliver(delivery).uid));
    },
    move: ({ to, ...selected }) => each(selected, (uid, of) => of.mailbox.move(uid, folderIn(of, to).uid)),
    copy: ({ to, ...selected }) => {
      const copies: string[] = [];
      each(selected, (uid, of) => copies.push(idOf(of, of.mailbox.copy(uid, folderIn(of, to).uid).uid)));
      return copies;
    },
    markRead: ({ read, ...selected }) => each(selected, (uid, of) => of.mailbox.markRead(uid, read)),
    flag: ({ flag, ...selected }) => each(selected, (uid, of) => of.mailbox.change(uid, { flag })),
    categorise: ({ categories, ...selected }) =>
      each(selected, (uid, of) => of.mailbox.change(uid, { categories })),
    remove: (selected) => each(selected, (uid, of) => of.mailbox.remove(uid)),
    createFolder: ({ mailbox, name, parent = 'msgfolderroot' }) => {
      const of = account(mailbox);
      return of.ids.ofFolder(of.mailbox.createFolder(name, folderIn(of, parent).uid).uid);
    },
    renameFolder: ({ mailbox, folder, name }) => {
      const of = account(mailbox);
      of.mailbox.renameFolder(folderIn(of, folder).uid, name);
    },
    moveFolder: ({ mailbox, folder, parent }) => {
      const of = account(mailbox);
      of.mailbox.moveFolder(folderIn(of, folder).uid, folderIn(of, parent).uid);
    },
    removeFolder: ({ mailbox, folder }) => {
      const of = account(mailbox);
      of.mailbox.removeFolder(folderIn(of, folder).uid);
    },
    churn: ({ mailbox, operations, folders = false }) => {
      const of = account(mailbox);
      for (let done = 0; done < operations; done++) operate(of, folders);
    },
    messages: ({ mailbox, folder }) => {
      const of = account(mailbox);
      const uid = folder === undefined ? null : folderIn(of, folder).uid;
      return [...of.mailbox.messages()]
        .filter((message) => uid === null || message.folder === uid)
        .map((message) => ({
          id: idOf(of, message.uid),
          folder: of.ids.ofFolder(message.folder),
          read: message.read,
          draft: message.draft,
          flag: message.flag,
          categories: message.categories,
          subject: of.mailbox.contentOf(message).subject,
        }));
    },
    folders: ({ mailbox }) => {
      const of = account(mailbox);
      return [...of.mailbox.folders()].map((folder) => ({
        id: of.ids.ofFolder(folder.uid),
        parent: folder.parent === null ? null : of.ids.ofFolder(folder.parent),
        name: folder.name,
        hidden: folder.hidden,
        messages: folder.members.size,
        unread: folder.unread,
      }));
    },
  };
}
