/** A simulated Microsoft mailbox as the controllable account of the provider conformance suite. */
import type { World, WorldMailbox } from '@mailstream/providers/conformance';
import type { Control } from '@mailstream/simulators';
import {
  createSimulatedAccount,
  type SimulatedAccount,
  type SimulatedAccountOptions,
  timedBy,
} from './simulated-account.ts';

export function createGraphAccount(options: SimulatedAccountOptions = {}): Promise<SimulatedAccount> {
  return createSimulatedAccount(options, 'microsoft', createWorld);
}

function createWorld(control: Control, mailbox: string): World {
  const folders = () => {
    const all = new Map(control.folders({ mailbox }).map((folder) => [folder.id, folder]));
    const pathOf = (id: string): string => {
      const { name = '', parent = null } = all.get(id) ?? {};
      const above = parent === null || all.get(parent)?.parent === null ? '' : `${pathOf(parent)}/`;
      return above + name;
    };
    return [...all.values()]
      .filter(({ parent }) => parent !== null)
      .map(({ id }) => ({ id, path: pathOf(id) }));
  };
  const find = (path: string) => folders().find((folder) => folder.path === path)?.id;
  const idOf = (path: string) => {
    const id = find(path);
    if (id === undefined) throw new Error(`there is no folder ${path}`);
    return id;
  };
  const parentOf = (path: string) => {
    const end = path.lastIndexOf('/');
    return end < 0 ? 'msgfolderroot' : folderAt(path.slice(0, end));
  };
  const folderAt = (path: string): string =>
    find(path) ?? control.createFolder({ mailbox, name: nameOf(path), parent: parentOf(path) });
  /** As a person would: what already is as wanted is left alone. */
  const flag = (id: string, flags: readonly string[]) => {
    const now = control.messages({ mailbox }).find((message) => message.id === id);
    if (!now) throw new Error(`there is no message ${id}`);
    const wanted = {
      read: flags.includes('seen'),
      flag: flags.includes('flagged') ? 'flagged' : 'none',
    } as const;
    const categories = flags.filter((name) => name !== 'seen' && name !== 'flagged');
    if (now.read !== wanted.read) control.markRead({ mailbox, ids: [id], read: wanted.read });
    if (now.flag !== wanted.flag) control.flag({ mailbox, ids: [id], flag: wanted.flag });
    if (now.categories.join() !== categories.join()) control.categorise({ mailbox, ids: [id], categories });
  };
  const timed = timedBy(control);

  return {
    flags: ['seen', 'flagged', 'urgent'],
    deliver: timed((path, { subject, flags = [] }) => {
      const [id = ''] = control.deliver({ mailbox, folder: idOf(path), content: { subject } });
      flag(id, flags);
    }),
    setFlags: timed((_path, id, flags) => flag(id, flags)),
    expunge: timed((_path, id) => control.remove({ mailbox, ids: [id] })),
    move: timed((_from, id, to) => control.move({ mailbox, ids: [id], to: idOf(to) })),
    createMailbox: timed((path) => {
      if (find(path) !== undefined) throw new Error(`there is a folder ${path} already`);
      folderAt(path);
    }),
    renameMailbox: timed((from, to) => {
      if (find(to) !== undefined) throw new Error(`there is a folder ${to} already`);
      const folder = idOf(from);
      control.moveFolder({ mailbox, folder, parent: parentOf(to) });
      control.renameFolder({ mailbox, folder, name: nameOf(to) });
    }),
    deleteMailbox: timed((path) => control.removeFolder({ mailbox, folder: idOf(path) })),
    forget: timed(() => control.expireCursors({ mailbox })),
    pass: async (ms) => control.advance({ ms }),
    list: async () => {
      const all = control.messages({ mailbox });
      return folders()
        .map(({ id, path }): WorldMailbox => {
          const messages = all.filter(({ folder }) => folder === id).map(shown);
          return { path, generation: '1', messages };
        })
        .sort((a, b) => (a.path < b.path ? -1 : 1));
    },
  };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function shown({ id, read, flag, categories, subject }: ReturnType<Control['messages']>[number]) {
  const flags = [...(read ? ['seen'] : []), ...(flag === 'flagged' ? ['flagged'] : []), ...categories];
  return { id, flags: flags.sort(), subject };
}
