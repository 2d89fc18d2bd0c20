/** What can be done to Outlook mail. */
import type { Clock } from '../clock.ts';
import type { MailActions } from '../control/actions.ts';
import type { Delivery, Mailbox } from '../mailbox/mailbox.ts';
import type { Folder } from '../mailbox/message.ts';
import type { Random } from '../random.ts';
import type { Ids } from './ids.ts';

export function createOutlookActions(mailbox: Mailbox, ids: Ids, random: Random, clock: Clock): MailActions {
  const { address } = mailbox.owner;
  const folderOf = (name: string): Folder => {
    const folder = ids.folder(name);
    if (!folder) throw new Error(`There is no folder ${name} in ${address}.`);
    return folder;
  };
  const bounce = (uid: number, folders: readonly Folder[]) => {
    const home = mailbox.message(uid)?.folder;
    mailbox.move(uid, folders[random.int(folders.length)]?.uid ?? 0);
    if (home !== undefined) mailbox.move(uid, home);
  };

  return {
    messageId: (uid) => ids.ofMessage({ uid, placement: 0 }, true),
    message: (id) => {
      const message = ids.message(id);
      if (!message) throw new Error(`There is no message ${id} in ${address}.`);
      return message;
    },
    deliver: (folder, delivery, labels) => {
      if (labels) throw new Error('Labels are for Gmail mailboxes; use categories or a folder.');
      return mailbox.deliver({ ...delivery, folder: folderOf(folder).uid });
    },
    move: (uid, to) => {
      mailbox.move(uid, folderOf(to).uid);
    },
    copy: (uid, to) => mailbox.copy(uid, folderOf(to).uid),
    categorise: (uid, categories) => mailbox.change(uid, { categories }),
    createFolder: (name, parent = 'msgfolderroot') =>
      ids.ofFolder(mailbox.createFolder(name, folderOf(parent).uid).uid),
    renameFolder: (folder, name) => mailbox.renameFolder(folderOf(folder).uid, name),
    moveFolder: (folder, parent) => mailbox.moveFolder(folderOf(folder).uid, folderOf(parent).uid),
    removeFolder: (folder) => mailbox.removeFolder(folderOf(folder).uid),
    stir: (withFolders) => {
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
      else if (draw < 0.95) bounce(uid, folders);
      else mailbox.remove(uid);
    },
    isIn: (message, folder) => message.folder === folderOf(folder).uid,
    describe: (message) => ({
      thread: ids.ofConversation(message.conversation),
      folder: ids.ofFolder(message.folder),
      labels: [],
    }),
    folders: () =>
      [...mailbox.folders()].map((folder) => ({
        id: ids.ofFolder(folder.uid),
        parent: folder.parent === null ? null : ids.ofFolder(folder.parent),
        name: folder.name,
        hidden: folder.hidden,
        messages: folder.members.size,
        unread: folder.unread,
      })),
  };
}

/** Mail as it lies in Outlook mailboxes: three quarters in the inbox, the rest anywhere. */
export function outlookMail(mailbox: Mailbox): (random: Random) => Delivery {
  const places = [...mailbox.folders()].filter((place) => place.parent !== null && place.role !== 'inbox');
  const inbox = mailbox.folderOf('inbox') ?? mailbox.root;
  return (random) => {
    const place = random.chance(0.75) ? inbox : (places[random.int(places.length)] ?? inbox);
    return {
      folder: place.uid,
      read: random.chance(0.7),
      draft: place.role === 'drafts',
      kind: random.chance(0.01) ? 'meeting-request' : 'message',
    };
  };
}
