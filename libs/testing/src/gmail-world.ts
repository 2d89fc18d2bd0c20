/** A simulated Gmail mailbox as the controllable account of the provider conformance suite. */
import type { World, WorldMailbox } from '@mailstream/providers/conformance';
import {
  type Control,
  createSimulator,
  type NewMailbox,
  type Simulator,
  type SimulatorOptions,
} from '@mailstream/simulators';
import { trustedCa } from './trusted-ca.ts';

export interface GmailAccount {
  readonly simulator: Simulator;
  /** Its address. */
  readonly mailbox: string;
  readonly world: World;
  /** A credential as the token broker gives it; the token is good for `lifeMs` of the simulator's time. */
  credential(lifeMs?: number): { accessToken: string; expiresAt: string };
  close(): Promise<void>;
}

const HOUR = 60 * 60_000;
/** Virtual milliseconds that each operation takes. */
const STEP_MS = 40;

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

export async function createGmailAccount(
  options: SimulatorOptions & { readonly account?: Omit<NewMailbox, 'address'> } = {},
): Promise<GmailAccount> {
  const { account, ...others } = options;
  const simulator = await createSimulator({ devCa: trustedCa(), ...others });
  const { control } = simulator;
  const wanted = { address: 'ada@example.com', userFolders: false, ...account, provider: 'google' } as const;
  const { address: mailbox } = control.createMailbox(wanted);
  return {
    simulator,
    mailbox,
    world: createWorld(control, mailbox),
    credential: (lifeMs = HOUR) => ({
      accessToken: control.issueToken({ mailbox, expiresInMs: lifeMs }),
      expiresAt: new Date(control.now() + HOUR).toISOString(),
    }),
    close: () => simulator.close(),
  };
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
  const timed =
    <Given extends unknown[]>(operation: (...given: Given) => void) =>
    async (...given: Given) => {
      operation(...given);
      control.advance({ ms: STEP_MS });
    };

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
