/** Labels: the truth about a message in Gmail's words, computed from the mailbox and written back to it. */
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Folder, Message } from '../mailbox/message.ts';

export interface Label {
  readonly id: string;
  readonly name: string;
  readonly type: 'system' | 'user';
  /** Of the folder that stands for it; null for the system's. */
  readonly uid: number | null;
}

export interface Labels {
  /** The system's, then those people made. */
  all(): Label[];
  /** By id, or by name in any case. */
  find(idOrName: string): Label | undefined;
  /** Ids of the labels of a message, sorted; the same array for the same labels. */
  of(message: Message): readonly string[];
  /** Exactly these from now on. */
  set(uid: number, labels: Iterable<string>): void;
  create(name: string): Label;
  rename(label: Label, name: string): void;
  /** Takes it off all messages. */
  remove(label: Label): void;
}

const SYSTEM_LABELS = [
  'CHAT',
  'SENT',
  'INBOX',
  'IMPORTANT',
  'TRASH',
  'DRAFT',
  'SPAM',
  'CATEGORY_FORUMS',
  'CATEGORY_UPDATES',
  'CATEGORY_PERSONAL',
  'CATEGORY_PROMOTIONS',
  'CATEGORY_SOCIAL',
  'STARRED',
  'UNREAD',
] as const;

/** Where a message lies: the first of these that it has. */
const PLACES = [
  ['TRASH', 'deleted'],
  ['SPAM', 'junk'],
  ['INBOX', 'inbox'],
] as const;

export function createLabels(mailbox: Mailbox): Labels {
  const known = new Map<string, readonly string[]>();
  const placeOf = new Map(PLACES.map(([label, role]) => [mailbox.folderOf(role)?.uid, label]));
  const ofFolder = ({ uid, name }: Folder): Label => ({ id: `Label_${uid}`, name, type: 'user', uid });

  const self: Labels = {
    all: () => [
      ...SYSTEM_LABELS.map((id): Label => ({ id, name: id, type: 'system', uid: null })),
      ...[...mailbox.folders()].filter(({ role }) => role === null).map(ofFolder),
    ],
    find: (wanted) => {
      const all = self.all();
      const lower = wanted.toLowerCase();
      return all.find(({ id }) => id === wanted) ?? all.find(({ name }) => name.toLowerCase() === lower);
    },
    of: (message) => {
      const place = placeOf.get(message.folder);
      const labels = [
        ...message.categories,
        ...(message.flag === 'flagged' ? ['STARRED'] : []),
        ...(message.draft ? ['DRAFT'] : []),
        ...(message.sent ? ['SENT'] : []),
        ...(message.read ? [] : ['UNREAD']),
        ...(place === undefined ? [] : [place]),
      ].sort();
      const key = labels.join();
      const same = known.get(key) ?? labels;
      known.set(key, same);
      return same;
    },
    set: (uid, labels) => {
      mailbox.update(uid, withLabels(mailbox, labels));
    },
    create: (name) => ofFolder(mailbox.createFolder(name, mailbox.root.uid)),
    rename: ({ uid }, name) => {
      if (uid !== null) mailbox.renameFolder(uid, name);
    },
    remove: ({ id, uid }) => {
      if (uid === null) return;
      for (const { uid: message, categories } of mailbox.messages())
        if (categories.includes(id))
          mailbox.change(message, { categories: categories.filter((label) => label !== id) });
      mailbox.removeFolder(uid);
    },
  };
  return self;
}

/** How the mailbox holds a message with exactly these labels. */
export function withLabels(mailbox: Mailbox, labels: Iterable<string>) {
  const rest = new Set(labels);
  const take = (label: string) => rest.delete(label);
  const role = PLACES.find(([label]) => take(label))?.[1] ?? 'archive';
  return {
    folder: (mailbox.folderOf(role) ?? mailbox.root).uid,
    read: !take('UNREAD'),
    flag: take('STARRED') ? ('flagged' as const) : ('none' as const),
    draft: take('DRAFT'),
    sent: take('SENT'),
    categories: [...rest],
  };
}
