/** A simulated Gmail mailbox as the controllable account of the provider conformance suite. */
import type { World, WorldMailbox } from '@mailstream/providers/conformance';
import type { Control } from '@mailstream/simulators';
import {
  createSimulatedAccount,
  type SimulatedAccount,
  type SimulatedAccountOptions,
  timedBy,
} from './simulated-account.ts';

const ALL_MAIL = 'All Mail';

/** Labels of the system that are places, as people know them. */
const SYSTEM: Readonly<Record<string, string>> = {
  INBOX: 'Inbox',
  SENT: 'Sent',
  DRAFT: 'Drafts',
  TRASH: 'Trash',
  SPAM: 'Spam',
  CHAT: 'Chat',
  CATEGORY_PERSONAL: 'Categories/Personal',
  CATEGORY_SOCIAL: 'Categories/Social',
  CATEGORY_PROMOTIONS: 'Categories/Promotions',
  CATEGORY_UPDATES: 'Categories/Updates',
  CATEGORY_FORUMS: 'Categories/Forums',
};
const FLAGS: Readonly<Record<string, string>> = {
  STARRED: 'flagged',
  IMPORTANT: 'important',
  DRAFT: 'draft',
};
const NO_PLACES = ['UNREAD', 'STARRED', 'IMPORTANT'];

export function createGmailAccount(options: SimulatedAccountOptions = {}): Promise<SimulatedAccount> {
  return createSimulatedAccount(options, 'google', createWorld);
}

function createWorld(control: Control, mailbox: string): World {
  const labels = () =>
    control
      .folders({ mailbox })
      .filter(({ id }) => !NO_PLACES.includes(id))
      .map(({ id, name }) => ({ id, path: SYSTEM[id] ?? name }));
  const find = (path: string) => labels().find((label) => label.path === path)?.id;
  /** None for all mail. */
  const labelsFor = (path: string) => {
    if (path === ALL_MAIL) return [];
    const id = find(path);
    if (id === undefined) throw new Error(`there is no label ${path}`);
    return [id];
  };
  const marks = (flags: readonly string[]) => [
    ...(flags.includes('seen') ? [] : ['UNREAD']),
    ...(flags.includes('flagged') ? ['STARRED'] : []),
    ...(flags.includes('important') ? ['IMPORTANT'] : []),
  ];
  const timed = timedBy(control);

  return {
    flags: ['seen', 'flagged', 'important'],
    deliver: timed((path, { subject, flags = [] }) => {
      control.deliver({ mailbox, labels: [...labelsFor(path), ...marks(flags)], content: { subject } });
    }),
    setFlags: timed((_path, id, flags) => {
      const add = marks(flags);
      control.label({ mailbox, ids: [id], add, remove: NO_PLACES.filter((label) => !add.includes(label)) });
    }),
    expunge: timed((_path, id) => control.remove({ mailbox, ids: [id] })),
    move: timed((from, id, to) => {
      const add = labelsFor(to);
      const remove = labelsFor(from).filter((label) => !add.includes(label));
      control.label({ mailbox, ids: [id], add, remove });
    }),
    createMailbox: timed((path) => {
      if (path === ALL_MAIL || find(path) !== undefined) throw new Error(`there is a label ${path} already`);
      control.createFolder({ mailbox, name: path });
    }),
    /** With those below it, as Gmail's own pages do. */
    renameMailbox: timed((from, to) => {
      if (find(to) !== undefined) throw new Error(`there is a label ${to} already`);
      labelsFor(from);
      for (const { id, path } of labels())
        if (path === from || path.startsWith(`${from}/`))
          control.renameFolder({ mailbox, folder: id, name: to + path.slice(from.length) });
    }),
    deleteMailbox: timed((path) => {
      for (const folder of labelsFor(path)) control.removeFolder({ mailbox, folder });
    }),
    forget: timed(() => control.expireCursors({ mailbox })),
    pass: async (ms) => control.advance({ ms }),
    list: async () => {
      const all = control.messages({ mailbox });
      const places = [{ id: null, path: ALL_MAIL }, ...labels()];
      return places
        .map(({ id, path }): WorldMailbox => {
          const messages = all.filter((message) => id === null || message.labels.includes(id)).map(shown);
          return { path, generation: '1', messages };
        })
        .sort((a, b) => (a.path < b.path ? -1 : 1));
    },
  };
}

function shown({ id, labels, subject }: ReturnType<Control['messages']>[number]) {
  const flags = labels.flatMap((label) => FLAGS[label] ?? []);
  if (!labels.includes('UNREAD')) flags.push('seen');
  return { id, flags: flags.sort(), subject };
}
