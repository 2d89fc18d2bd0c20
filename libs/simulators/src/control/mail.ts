/** What a test does to mailboxes: as their owners, their correspondents, or time would. Arguments are plain JSON. */
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Content, Flag } from '../mailbox/message.ts';
import type { MailActions, TrueFolder, TrueMessage } from './actions.ts';

/** Messages by their ids; in a Microsoft mailbox the immutable ones. */
export interface Selected {
  /** The mailbox's address. */
  readonly mailbox: string;
  readonly ids: readonly string[];
}

/** A folder by its id or well-known alias; a label by its id or name. */
type FolderName = string;

export interface MailControl {
  /** Ids of `count` (1) new messages in `folder` (the inbox), oldest first. */
  deliver(what: {
    readonly mailbox: string;
    readonly count?: number;
    readonly folder?: FolderName;
    /** In a Gmail mailbox in place of `folder`: exactly these, so that without `UNREAD` it is read. */
    readonly labels?: readonly string[];
    /** The id of a message whose thread it joins. */
    readonly answering?: string;
    readonly kind?: 'message' | 'meeting-request';
    readonly content?: Partial<Omit<Content, 'attachments'>>;
  }): string[];
  move(what: Selected & { readonly to: FolderName }): void;
  copy(what: Selected & { readonly to: FolderName }): string[];
  markRead(what: Selected & { readonly read: boolean }): void;
  flag(what: Selected & { readonly flag: Flag }): void;
  /** In a Gmail mailbox: which labels of people's own making it has. */
  categorise(what: Selected & { readonly categories: readonly string[] }): void;
  /** For good; move to `deleteditems` or `TRASH` for what people usually do. */
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
  /** For good. All in a folder goes with it; messages only lose a label. */
  removeFolder(what: { readonly mailbox: string; readonly folder: FolderName }): void;
  /** `operations` random ones of all the above, by the simulator's seed; folders are left alone unless `folders`. */
  churn(what: { readonly mailbox: string; readonly operations: number; readonly folders?: boolean }): void;
  /** What is true, whatever the façades say. Without `folder`: the whole mailbox. */
  messages(what: { readonly mailbox: string; readonly folder?: FolderName }): TrueMessage[];
  folders(what: { readonly mailbox: string }): TrueFolder[];
}

/** An account at any provider. */
export interface MailAccount {
  readonly mailbox: Mailbox;
  readonly actions: MailActions;
}

export function createMailControl(account: (address: string) => MailAccount): MailControl {
  const each = ({ mailbox, ids }: Selected, task: (uid: number, of: MailAccount) => void) => {
    const of = account(mailbox);
    for (const id of ids) task(of.actions.message(id).uid, of);
  };
  return {
    deliver: ({ mailbox, count = 1, folder = 'inbox', labels, answering, kind = 'message', content }) => {
      const { actions } = account(mailbox);
      const delivery = {
        kind,
        ...(content ? { content } : {}),
        ...(answering === undefined ? {} : { conversation: actions.message(answering).conversation }),
      };
      return Array.from({ length: count }, () =>
        actions.messageId(actions.deliver(folder, delivery, labels).uid),
      );
    },
    move: ({ to, ...selected }) => each(selected, (uid, { actions }) => actions.move(uid, to)),
    copy: ({ to, ...selected }) => {
      const copies: string[] = [];
      each(selected, (uid, { actions }) => copies.push(actions.messageId(actions.copy(uid, to).uid)));
      return copies;
    },
    markRead: ({ read, ...selected }) => each(selected, (uid, of) => of.mailbox.markRead(uid, read)),
    flag: ({ flag, ...selected }) => each(selected, (uid, of) => of.mailbox.change(uid, { flag })),
    categorise: ({ categories, ...selected }) =>
      each(selected, (uid, { actions }) => actions.categorise(uid, categories)),
    remove: (selected) => each(selected, (uid, of) => of.mailbox.remove(uid)),
    createFolder: ({ mailbox, name, parent }) => account(mailbox).actions.createFolder(name, parent),
    renameFolder: ({ mailbox, folder, name }) => account(mailbox).actions.renameFolder(folder, name),
    moveFolder: ({ mailbox, folder, parent }) => account(mailbox).actions.moveFolder(folder, parent),
    removeFolder: ({ mailbox, folder }) => account(mailbox).actions.removeFolder(folder),
    churn: ({ mailbox, operations, folders = false }) => {
      const { actions } = account(mailbox);
      for (let done = 0; done < operations; done++) actions.stir(folders);
    },
    messages: ({ mailbox: address, folder }) => {
      const { mailbox, actions } = account(address);
      return [...mailbox.messages()]
        .filter((message) => folder === undefined || actions.isIn(message, folder))
        .map((message) => ({
          id: actions.messageId(message.uid),
          ...actions.describe(message),
          read: message.read,
          draft: message.draft,
          flag: message.flag,
          categories: message.categories,
          subject: mailbox.contentOf(message).subject,
        }));
    },
    folders: ({ mailbox }) => account(mailbox).actions.folders(),
  };
}
