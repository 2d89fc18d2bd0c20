/** Other mail programs at work on a mailbox: seeded arrivals, flag changes, moves and deletions. */
import type { Random } from '@mailstream/devstack';
import { createImapWorld } from '@mailstream/testing';
import type { ImapMailbox } from './harness.ts';

export interface Churn {
  /** Does so many things, one after the other. */
  act(times: number): Promise<void>;
  /** Something arrives in the inbox; returns its subject. */
  arrive(): Promise<string>;
  close(): void;
}

const FLAGS = [[], ['seen'], ['flagged'], ['answered', 'seen'], ['$later', 'seen']] as const;

export async function createChurn({ login }: ImapMailbox, random: Random): Promise<Churn> {
  const world = await createImapWorld(login);
  const folders = await world.list();
  const paths = folders.map((folder) => folder.path);
  /** Where messages were at first; what moved or went is left alone, for its new uid is not known. */
  const known = folders.flatMap(({ path, messages }) => messages.map(({ id }) => ({ path, id })));
  let arrived = 0;

  const arrive = async () => {
    arrived += 1;
    const subject = `arrival-${arrived}-${random.integer(1e9)}`;
    await world.deliver('INBOX', { subject, flags: random.pick(FLAGS) });
    return subject;
  };
  const act = async () => {
    const at = random.integer(known.length);
    const message = known[at];
    const kind = random.next();
    if (message === undefined || kind < 0.3) return void (await arrive());
    const { path, id } = message;
    if (kind < 0.7) return await world.setFlags(path, id, random.pick(FLAGS));
    known.splice(at, 1);
    const to = random.pick(paths);
    if (kind < 0.9 && to !== path) await world.move(path, id, to);
    else await world.expunge(path, id);
  };
  return {
    async act(times) {
      for (let time = 0; time < times; time += 1) await act();
    },
    arrive,
    close: () => world.close(),
  };
}
