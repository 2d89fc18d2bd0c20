/** What can be done to the mail of an account, in the words of its provider: the part of the control that differs. */
import type { Delivery } from '../mailbox/mailbox.ts';
import type { Flag, Message } from '../mailbox/message.ts';

export interface TrueMessage {
  readonly id: string;
  readonly thread: string;
  /** The id of the folder; in a Gmail mailbox `INBOX`, `SPAM`, `TRASH`, or empty. */
  readonly folder: string;
  /** Ids of labels, sorted; none in a Microsoft mailbox. */
  readonly labels: readonly string[];
  readonly read: boolean;
  readonly draft: boolean;
  readonly flag: Flag;
  readonly categories: readonly string[];
  readonly subject: string;
}

/** A folder, or a label. */
export interface TrueFolder {
  readonly id: string;
  readonly parent: string | null;
  readonly name: string;
  readonly hidden: boolean;
  readonly messages: number;
  readonly unread: number;
}

/** Folders are told by id or well-known alias, labels by id or name. Whatever is unknown throws. */
export interface MailActions {
  messageId(uid: number): string;
  message(id: string): Message;
  deliver(folder: string, delivery: Omit<Delivery, 'folder'>, labels?: readonly string[]): Message;
  move(uid: number, to: string): void;
  copy(uid: number, to: string): Message;
  categorise(uid: number, categories: readonly string[]): void;
  createFolder(name: string, parent?: string): string;
  renameFolder(folder: string, name: string): void;
  moveFolder(folder: string, parent: string): void;
  removeFolder(folder: string): void;
  /** Does something by chance. */
  stir(withFolders: boolean): void;
  isIn(message: Message, folder: string): boolean;
  describe(message: Message): Pick<TrueMessage, 'thread' | 'folder' | 'labels'>;
  folders(): TrueFolder[];
}
