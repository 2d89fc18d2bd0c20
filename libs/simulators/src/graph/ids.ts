/** Outlook's names for things. They can be computed back, so that a large mailbox needs no table of them. */
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Folder, Message, Role } from '../mailbox/message.ts';
import { mixSeeds } from '../random.ts';

export interface Ids {
  /** The id of a message: the same for ever when `immutable`, else another one after every move. */
  ofMessage(message: Pick<Message, 'uid' | 'placement'>, immutable: boolean): string;
  ofFolder(uid: number): string;
  ofConversation(conversation: number): string;
  changeKey(message: Message): string;
  /** The uid an id was made from, whether or not there is such a message; NaN for no id of ours. */
  uidOf(id: string): number;
  /** By either kind of id; undefined when unknown or outdated. */
  message(id: string): Message | undefined;
  /** By id or well-known alias. */
  folder(id: string): Folder | undefined;
}

const ALIASES: ReadonlyMap<string, Role> = new Map([
  ['archive', 'archive'],
  ['conflicts', 'conflicts'],
  ['conversationhistory', 'history'],
  ['deleteditems', 'deleted'],
  ['drafts', 'drafts'],
  ['inbox', 'inbox'],
  ['junkemail', 'junk'],
  ['localfailures', 'local-failures'],
  ['msgfolderroot', 'root'],
  ['outbox', 'outbox'],
  ['recoverableitemsdeletions', 'deletions'],
  ['sentitems', 'sent'],
  ['serverfailures', 'server-failures'],
  ['syncissues', 'sync-issues'],
]);

/** `createIds(mailbox)`: the ids of one mailbox; those of another are unknown to it. */
export function createIds(mailbox: Mailbox): Ids {
  const tag = mixSeeds(mailbox.seed, 7).toString(36).padStart(7, '0').slice(-7);
  // Neighbours share a number and differ in the case of one letter: ids compared without case are mixed up.
  const code = (uid: number) => `${(uid >> 1).toString(36).padStart(6, '0')}${uid % 2 === 0 ? 'Q' : 'q'}`;
  const uidOf = (id: string) => {
    const start = id.lastIndexOf('_') + 1;
    return parseInt(id.slice(start, start + 6), 36) * 2 + (id[start + 6] === 'q' ? 1 : 0);
  };
  const ofMessage: Ids['ofMessage'] = ({ uid, placement }, immutable) =>
    immutable
      ? `AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A${tag}_${code(uid)}AAA=`
      : `AAMkADk0-${tag}_${code(uid)}${placement.toString(36).padStart(6, '0')}BGAAAAAA=`;
  const ofFolder = (uid: number) => `AAMkADk0-${tag}AuAAAAAAD_${uid.toString(36).padStart(4, '0')}AQAAAA=`;

  return {
    ofMessage,
    ofFolder,
    ofConversation: (conversation) => `AAQkADk0-${tag}AQA${conversation.toString(36).padStart(6, '0')}=`,
    changeKey: ({ uid, revision }) =>
      `CQAAABYAAAD${mixSeeds(uid, revision).toString(36).padStart(7, '0')}${revision.toString(36).padStart(4, '0')}`,
    uidOf,
    message: (id) => {
      const found = mailbox.message(uidOf(id));
      if (!found) return undefined;
      return id === ofMessage(found, true) || id === ofMessage(found, false) ? found : undefined;
    },
    folder: (id) => {
      const role = ALIASES.get(id.toLowerCase());
      if (role) return mailbox.folderOf(role);
      const start = id.lastIndexOf('_') + 1;
      const found = mailbox.folder(parseInt(id.slice(start, start + 4), 36));
      return found && ofFolder(found.uid) === id ? found : undefined;
    },
  };
}
