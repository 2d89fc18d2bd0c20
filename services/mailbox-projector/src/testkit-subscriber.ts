/** For tests: somebody who knows nothing but the changes, and finds fault with them. */
import { isDeepStrictEqual } from 'node:util';
import type { MessageView } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import type { Emission } from '@mailstream/fold';
import { readMessages } from './projections/messages/read.ts';

interface Told {
  readonly version: string;
  readonly changed: readonly string[];
  readonly state: MessageView;
}

export interface Subscriber {
  hear(emissions: readonly Emission[]): void;
  /** What was wrong with the changes in themselves, and where what they told is not what the view has. */
  problems(db: Db): Promise<string[]>;
}

export function createSubscriber(): Subscriber {
  const problems: string[] = [];
  const known = new Map<
    string,
    { readonly version: bigint; readonly alive: boolean; readonly is: unknown }
  >();

  return {
    hear(emissions) {
      for (const emission of emissions) {
        if (emission.to !== 'changes' || emission.entity !== 'message') continue;
        const { version, changed, state } = emission.data as Told;
        const before = known.get(state.id);
        const what = `${emission.verb} of ${state.id} at ${version}`;
        if (before && BigInt(version) <= before.version) problems.push(`${what} is not newer than before`);
        if ((emission.verb === 'created') !== (before === undefined))
          problems.push(`${what} comes as a surprise`);
        if (before?.alive === false && emission.verb !== 'moved') problems.push(`${what}, which was deleted`);
        if (emission.verb === 'updated' && changed.length === 0) problems.push(`${what} changed nothing`);
        known.set(state.id, {
          version: BigInt(version),
          alive: emission.verb !== 'deleted',
          is: essence(state),
        });
      }
    },

    async problems(db) {
      const ids = await db.query<{ id: string }>('select id from view.message where deleted_at is null');
      const view = await readMessages(
        db,
        ids.map(({ id }) => id),
      );
      const inView = new Map(view.map(({ view }) => [view.id, essence(view)]));
      const told = new Map([...known].flatMap(([id, { alive, is }]) => (alive ? [[id, is]] : [])));
      for (const id of new Set([...inView.keys(), ...told.keys()])) {
        const [is, said] = [inView.get(id), told.get(id)];
        if (!isDeepStrictEqual(is, said))
          problems.push(`told ${JSON.stringify(said)}, the view has ${JSON.stringify(is)}`);
      }
      return problems;
    },
  };
}

/** All but what alone is no change: paths, uids, generations, and the version that grows with those. */
export function essence({ version: _, copies, ...message }: MessageView): unknown {
  const where = copies.map(({ mailbox, flags }) => JSON.stringify([mailbox, flags])).sort();
  return { ...message, where: [...new Set(where)] };
}
