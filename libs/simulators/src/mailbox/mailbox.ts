/** One mailbox, for every provider alike: folders, messages, what may be done to them, and the journal of what was done. */
import type { Clock } from '../clock.ts';
import { createRandom, mixSeeds, type Random } from '../random.ts';
import { generateContent } from './content.ts';
import type { FolderPlan } from './folders.ts';
import { createJournal, type Journal } from './journal.ts';
import type { Content, Flag, Folder, Message, Person, Role } from './message.ts';

export interface MailboxOptions {
  readonly seed: number;
  readonly owner: Person;
  readonly clock: Clock;
  readonly folders: readonly FolderPlan[];
  /** How long a change stays invisible to change feeds, and a new message to reading, in milliseconds; asked at every change. */
  readonly lag?: () => number;
}

export interface Delivery {
  readonly folder: number;
  readonly content?: Partial<Content>;
  readonly kind?: Message['kind'];
  readonly read?: boolean;
  readonly draft?: boolean;
  readonly sent?: boolean;
  readonly flag?: Flag;
  readonly categories?: readonly string[];
  /** The thread it belongs to; when absent an earlier one now and then, else one of its own. */
  readonly conversation?: number;
  /** Now, when absent. */
  readonly receivedAt?: number;
}

/** What is named is set. */
export interface MessageUpdate {
  readonly folder?: number;
  readonly read?: boolean;
  readonly flag?: Flag;
  readonly categories?: readonly string[];
  readonly draft?: boolean;
  readonly sent?: boolean;
}

export interface Mailbox {
  readonly owner: Person;
  readonly seed: number;
  readonly journal: Journal;
  readonly root: Folder;
  folders(): Iterable<Folder>;
  folder(uid: number): Folder | undefined;
  folderOf(role: Role): Folder | undefined;
  childrenOf(uid: number): Folder[];
  message(uid: number): Message | undefined;
  messages(): Iterable<Message>;
  size(): number;
  contentOf(message: Message): Content;
  /** Fills a mailbox without a journal entry: mail that was there before anybody looked, a message a minute. */
  seedMessages(count: number, choose: (random: Random) => Omit<Delivery, 'receivedAt'>): void;
  deliver(delivery: Delivery): Message;
  copy(uid: number, folder: number): Message;
  move(uid: number, folder: number): Message;
  /** For good. */
  remove(uid: number): void;
  markRead(uid: number, read: boolean): void;
  change(uid: number, change: Omit<MessageUpdate, 'folder' | 'read'>): void;
  /** All at once: who follows the journal finds the message as it is afterwards, at each of the entries. */
  update(uid: number, update: MessageUpdate): Message;
  createFolder(name: string, parent: number): Folder;
  renameFolder(uid: number, name: string): void;
  moveFolder(uid: number, parent: number): void;
  /** For good, with the folders and messages in it. */
  removeFolder(uid: number): void;
}

const SECOND = 1_000;

export function createMailbox(options: MailboxOptions): Mailbox {
  const { seed, owner, clock } = options;
  const lag = options.lag ?? (() => 0);
  const random = createRandom(seed);
  const journal = createJournal();
  const folders = new Map<number, Folder>();
  const messages = new Map<number, Message>();
  let lastFolder = 0;
  let lastUid = 0;
  let placements = 0;

  const addFolder = (name: string, parent: number | null, role: Role | null, hidden: boolean) => {
    const folder: Folder = {
      uid: ++lastFolder,
      parent,
      name,
      role,
      hidden,
      members: new Set(),
      unread: 0,
      version: 0,
    };
    folders.set(folder.uid, folder);
    return folder;
  };
  const root = addFolder('Top of Information Store', null, 'root', true);
  const plant = (plans: readonly FolderPlan[], parent: number) => {
    for (const plan of plans) plant(plan.children, addFolder(plan.name, parent, plan.role, plan.hidden).uid);
  };
  plant(options.folders, root.uid);
  // Where messages wait unseen for their end: beside the tree, so that no list has it.
  addFolder('Deletions', null, 'deletions', true);

  const folder = (uid: number): Folder => {
    const found = folders.get(uid);
    if (!found) throw new Error(`There is no folder ${uid} in the mailbox of ${owner.address}.`);
    return found;
  };
  const message = (uid: number): Message => {
    const found = messages.get(uid);
    if (!found) throw new Error(`There is no message ${uid} in the mailbox of ${owner.address}.`);
    return found;
  };
  const enter = (entered: Message) => {
    const into = folder(entered.folder);
    into.members.add(entered.uid);
    into.version++;
    if (!entered.read) into.unread++;
  };
  const leave = (left: Message) => {
    const out = folder(left.folder);
    out.members.delete(left.uid);
    out.version++;
    if (!left.read) out.unread--;
  };
  const earlierThread = (uid: number) => {
    const earlier = Math.max(1, uid - 1 - random.int(20));
    return messages.get(earlier)?.conversation ?? earlier;
  };
  const seconds = (ms: number) => Math.floor(ms / SECOND) * SECOND;

  const store = (delivery: Delivery, visibleAt: number, copyOf: Message | null): Message => {
    const uid = ++lastUid;
    const receivedAt = seconds(delivery.receivedAt ?? clock.now());
    const stored: Message = {
      uid,
      placement: ++placements,
      folder: delivery.folder,
      kind: delivery.kind ?? 'message',
      revision: 1,
      read: delivery.read ?? false,
      flag: delivery.flag ?? 'none',
      draft: delivery.draft ?? false,
      sent: delivery.sent ?? false,
      categories: delivery.categories ?? [],
      receivedAt,
      modifiedAt: copyOf ? seconds(clock.now()) : receivedAt,
      conversation: delivery.conversation ?? (random.chance(0.3) ? earlierThread(uid) : uid),
      given: copyOf?.given ?? delivery.content ?? null,
      contentOf: copyOf?.contentOf ?? uid,
      visibleAt,
    };
    messages.set(uid, stored);
    enter(stored);
    return stored;
  };
  const record = (
    kind: 'created' | 'read' | 'changed' | 'moved' | 'deleted',
    changed: Message,
    visibleAt = clock.now() + lag(),
    before: { from: number; placement: number } | null = null,
  ) =>
    journal.record({
      entity: 'message',
      kind,
      uid: changed.uid,
      conversation: changed.conversation,
      folder: changed.folder,
      from: before?.from ?? null,
      placement: before?.placement ?? changed.placement,
      visibleAt,
      leftVisibleAt: before ? clock.now() + lag() : visibleAt,
    });
  const recordFolder = (kind: 'created' | 'changed' | 'deleted', uid: number) =>
    journal.record({ entity: 'folder', kind, folder: uid, visibleAt: clock.now() + lag() });
  const touch = (touched: Message) => {
    touched.revision++;
    touched.modifiedAt = seconds(clock.now());
  };
  /** Each of these says what has to go into the journal. */
  const relocate = (moved: Message, into: number) => {
    folder(into);
    if (moved.folder === into) return null;
    const before = { from: moved.folder, placement: moved.placement };
    leave(moved);
    moved.folder = into;
    moved.placement = ++placements;
    touch(moved);
    enter(moved);
    return before;
  };
  const mark = (marked: Message, read: boolean) => {
    if (marked.read === read) return false;
    marked.read = read;
    folder(marked.folder).unread += read ? -1 : 1;
    return true;
  };
  const amend = (amended: Message, { flag, categories, draft, sent }: MessageUpdate) => {
    if ([flag, categories, draft, sent].every((value) => value === undefined)) return false;
    amended.flag = flag ?? amended.flag;
    amended.categories = categories ?? amended.categories;
    amended.draft = draft ?? amended.draft;
    amended.sent = sent ?? amended.sent;
    touch(amended);
    return true;
  };
  const childrenOf = (uid: number) => [...folders.values()].filter((child) => child.parent === uid);

  const self: Mailbox = {
    owner,
    seed,
    journal,
    root,
    folders: () => folders.values(),
    folder: (uid) => folders.get(uid),
    folderOf: (role) => [...folders.values()].find((candidate) => candidate.role === role),
    childrenOf,
    message: (uid) => messages.get(uid),
    messages: () => messages.values(),
    size: () => messages.size,
    contentOf: (of) => ({ ...generateContent(seed, of.contentOf, owner), ...of.given }),
    seedMessages: (count, choose) => {
      const now = clock.now();
      for (let index = 0; index < count; index++)
        store({ ...choose(random), receivedAt: now - (count - index) * 60 * SECOND }, 0, null);
    },
    deliver: (delivery) => {
      folder(delivery.folder);
      const visibleAt = clock.now() + lag();
      const delivered = store(delivery, visibleAt, null);
      record('created', delivered, visibleAt);
      return delivered;
    },
    copy: (uid, into) => {
      const original = message(uid);
      folder(into);
      const copied = store({ ...original, folder: into, flag: 'none' }, clock.now(), original);
      record('created', copied);
      return copied;
    },
    move: (uid, into) => self.update(uid, { folder: into }),
    remove: (uid) => {
      const removed = message(uid);
      leave(removed);
      messages.delete(uid);
      record('deleted', removed);
    },
    markRead: (uid, read) => {
      self.update(uid, { read });
    },
    change: (uid, change) => {
      self.update(uid, change);
    },
    update: (uid, update) => {
      const updated = message(uid);
      const before = update.folder === undefined ? null : relocate(updated, update.folder);
      const amended = amend(updated, update);
      const marked = update.read !== undefined && mark(updated, update.read);
      if (before) record('moved', updated, undefined, before);
      if (amended) record('changed', updated);
      if (marked) record('read', updated);
      return updated;
    },
    createFolder: (name, parent) => {
      folder(parent);
      const created = addFolder(name, parent, null, false);
      recordFolder('created', created.uid);
      return created;
    },
    renameFolder: (uid, name) => {
      folder(uid).name = name;
      recordFolder('changed', uid);
    },
    moveFolder: (uid, parent) => {
      for (let above: number | null = parent; above !== null; above = folder(above).parent)
        if (above === uid) throw new Error('A folder cannot be moved into itself.');
      folder(uid).parent = parent;
      recordFolder('changed', uid);
    },
    removeFolder: (uid) => {
      for (const child of childrenOf(uid)) self.removeFolder(child.uid);
      for (const member of [...folder(uid).members]) self.remove(member);
      folders.delete(uid);
      recordFolder('deleted', uid);
    },
  };
  return self;
}

/** A seed for a mailbox of its own, from the simulator's seed and the address. */
export function seedOf(seed: number, address: string): number {
  return mixSeeds(seed, ...Buffer.from(address.toLowerCase()));
}
