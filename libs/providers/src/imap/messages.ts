/** Reads messages so that one that the server cannot give never keeps the others back. */
import type { MessageUpsert, Origin } from '@mailstream/contracts';
import type { FetchQueryObject } from 'imapflow';
import type { Change } from '../provider.ts';
import type { Connection } from './connection.ts';
import { isRefusedFetch } from './errors.ts';
import { type FetchedMessage, normalFlags, upsertOf } from './normalize.ts';
import type { Open } from './steps.ts';
import { countUids, eachUid, splitNewest, type Uids, uidsOf } from './uids.ts';

const WHOLE: FetchQueryObject = {
  uid: true,
  flags: true,
  envelope: true,
  bodyStructure: true,
  internalDate: true,
  size: true,
  threadId: true,
  headers: ['references'],
};
/** For a message whose structure cannot be read, or whose envelope, or nothing at all. */
const BARE: readonly FetchQueryObject[] = [
  { ...WHOLE, bodyStructure: false },
  { uid: true, flags: true, internalDate: true, size: true },
  { uid: true, flags: true },
];
/** More refusals than a few bad messages explain: the server is unwell, and nothing should be stored as unreadable. */
const MAX_REFUSALS = 60;

export interface Read {
  /** Upserts, by ascending uid. */
  readonly changes: readonly Change[];
  /** The highest uid among them. */
  readonly highest: number | null;
  /** Those whose content the server could not give. */
  readonly broken: readonly number[];
}

/** Those of `uids` that exist. Bisects when the server refuses, and asks for what is missing one by one. */
export async function readMessages(open: Open, uids: Uids, origin: Origin): Promise<Read> {
  const { connection, mailbox, snapshot } = open;
  const found = new Map<number, MessageUpsert>();
  // Facts are made as rows arrive: half of the memory and a tenth of the time of keeping the rows.
  const keep = (row: FetchedMessage) => {
    try {
      found.set(row.uid, upsertOf(mailbox, snapshot.generation, row, origin));
    } catch {
      // What we stumble over is asked for again barely, below.
    }
  };
  const reflag = (uid: number, flags: ReadonlySet<string>) => {
    const known = found.get(uid);
    if (known) found.set(uid, { ...known, flags: normalFlags(flags) });
  };
  let refusals = 0;
  const read = async (part: Uids): Promise<void> => {
    try {
      await connection.fetch(part, WHOLE, keep, reflag);
    } catch (error) {
      refusals += 1;
      if (!isRefusal(error, connection) || refusals > MAX_REFUSALS) throw error;
      const size = countUids(part);
      if (size === 1) return;
      const { newest, rest } = splitNewest(part, size >> 1);
      await read(newest);
      await read(rest);
    }
  };
  await read(uids);

  const broken: number[] = [];
  const missing = [...eachUid(uids)].filter((uid) => !found.has(uid));
  for (const uid of eachUid(await connection.search(uidsOf(missing)))) {
    const message = await readBarely(connection, uid);
    if (message === null) continue;
    keep(message);
    broken.push(uid);
  }
  const upserts = [...found].sort(([a], [b]) => a - b);
  return {
    changes: upserts.map(([, data]) => ({ kind: 'message', data })),
    highest: upserts.at(-1)?.[0] ?? null,
    broken,
  };
}

/** Whatever can be had of a message that a whole fetch did not bring; null when it is gone meanwhile. */
async function readBarely(connection: Connection, uid: number): Promise<FetchedMessage | null> {
  let message: FetchedMessage | null = null;
  for (const query of BARE) {
    try {
      await connection.fetch([[uid, uid]], query, (row) => {
        message = row;
      });
      if (message !== null) return message;
    } catch (error) {
      if (!isRefusal(error, connection)) throw error;
    }
  }
  return (await connection.search([[uid, uid]])).length > 0 ? { uid } : null;
}

function isRefusal(error: unknown, connection: Connection): boolean {
  return error instanceof Error && isRefusedFetch(error.cause) && connection.usable();
}
