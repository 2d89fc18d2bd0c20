/** A simulated mailbox and sessions of it, for the tests of this folder. */

import type { Lane } from '@mailstream/contracts';
import { MAILBOXES_SCOPE, type MailboxUpsert } from '@mailstream/contracts';
import { readEnv } from '@mailstream/runtime';
import { createGraphAccount, type SimulatedAccount } from '@mailstream/testing';
import { createMirror, type Mirror } from '../conformance-mirror.ts';
import type { Change, ConnectRequest, Page, Session } from '../provider.ts';
import { readMicrosoftConfig } from './config.ts';
import { createGraphProvider } from './index.ts';
import type { Tuning } from './open.ts';

export interface Rig extends SimulatedAccount {
  readonly control: SimulatedAccount['simulator']['control'];
  readonly mirror: Mirror;
  connect(changes?: Partial<ConnectRequest>): Promise<Session>;
  /** One pull of a folder, by its path, on a session of its own; its pages go into the mirror. */
  pull(path: string, lane: Lane): Promise<Page[]>;
  /** The mailbox of a folder, by its path. */
  box(path: string): MailboxUpsert;
}

export async function startRig(
  options: Parameters<typeof createGraphAccount>[0] = {},
  tuning: Partial<Tuning> = {},
): Promise<Rig> {
  const account = await createGraphAccount(options);
  const { control } = account.simulator;
  const config = readMicrosoftConfig(readEnv({ MS_GRAPH_URL: account.simulator.graph.url }));
  const provider = createGraphProvider(config, { page: 5, job: 50, list: 20, now: control.now, ...tuning });
  const connect = (changes: Partial<ConnectRequest> = {}) =>
    provider.connect({
      account: 'a',
      settings: { mailbox: null },
      credential: account.credential(),
      renew: async () => account.credential(),
      signal: AbortSignal.timeout(60_000),
      ...changes,
    });
  const mirror = createMirror(() => connect());
  const box = (path: string) => {
    const found = [...mirror.state.view.mailboxes.values()].find((mailbox) => mailbox.path === path);
    if (!found) throw new Error(`there is no folder ${path} in the view`);
    return found;
  };
  return {
    ...account,
    control,
    mirror,
    connect,
    box,
    async pull(path, lane) {
      const before = mirror.pages.length;
      const { mailbox, address } = box(path);
      await mirror.pullOnce(await connect(), mailbox, address, lane);
      return mirror.pages.slice(before).map(({ page }) => page);
    },
  };
}

/** The list of folders and one folder from beginning to end. */
export async function importFolder(rig: Rig, path: string): Promise<void> {
  await rig.mirror.pullOnce(await rig.connect(), MAILBOXES_SCOPE, null, 'live');
  for (let done = false; !done; ) done = (await rig.pull(path, 'backfill')).at(-1)?.done ?? true;
}

/** Changes of messages, in short. */
export function told(pages: readonly Page[], rig: Rig): string[] {
  return pages.flatMap(({ changes }) => changes).map((change) => short(change, rig));
}

function short({ kind, data }: Change, { mirror }: Rig): string {
  const key = kind !== 'message' ? data.mailbox : data.op === 'placed' ? data.key : data.copy.mailbox;
  const path = mirror.state.view.mailboxes.get(key)?.path;
  if (kind === 'listed') return `listed ${path}`;
  if (kind === 'mailbox') return `${data.op} mailbox ${path}`;
  return `${data.op} ${path}`;
}
