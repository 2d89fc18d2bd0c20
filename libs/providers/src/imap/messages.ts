/** Reads messages so that one that the server cannot give never keeps the others back. */
import type { FetchMessageObject, FetchQueryObject } from 'imapflow';
import type { Connection } from './connection.ts';
import { isRefusedFetch } from './errors.ts';
import type { FetchedMessage } from './normalize.ts';
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
/** For a message whose envelope or structure cannot be read; then for one that cannot be read at all. */
const BARE: readonly FetchQueryObject[] = [
  { uid: true, flags: true, internalDate: true, size: true },
  { uid: true, flags: true },
];
/** More refusals than a few bad messages explain: the server is unwell, and nothing should be stored as unreadable. */
const MAX_REFUSALS = 60;

export interface Read {
  /** Ascending. */
  readonly messages: readonly FetchedMessage[];
  /** Those among them whose content the server could not give. */
  readonly broken: readonly number[];
}

/** Those of `uids` that exist. Bisects when the server refuses, and asks for what is missing one by one. */
export async function readMessages(connection: Connection, uids: Uids): Promise<Read> {
  const rows = new Map<number, FetchMessageObject>();
  let refusals = 0;
  const read = async (part: Uids): Promise<void> => {
    try {
      for (const [uid, row] of await connection.fetch(part, WHOLE)) rows.set(uid, row);
    } catch (error) {
      refusals += 1;
      const refused = error instanceof Error && isRefusedFetch(error.cause) && connection.usable();
      if (!refused || refusals > MAX_REFUSALS) throw error;
      const size = countUids(part);
      if (size === 1) return;
      const { newest, rest } = splitNewest(part, size >> 1);
      await read(newest);
      await read(rest);
    }
  };
  await read(uids);

  const missing = [...eachUid(uids)].filter((uid) => !rows.has(uid));
  const messages: FetchedMessage[] = [...rows.values()].filter(({ uid }) => isIn(uids, uid));
  const broken: number[] = [];
  for (const uid of eachUid(await connection.search(uidsOf(missing)))) {
    const message = await readBare(connection, uid);
    if (message === null) continue;
    messages.push(message);
    broken.push(uid);
  }
  return { messages: messages.sort((a, b) => a.uid - b.uid), broken };
}

/** Whatever can be had of a message that a whole fetch did not bring; null when it is gone meanwhile. */
async function readBare(connection: Connection, uid: number): Promise<FetchedMessage | null> {
  for (const query of BARE) {
    try {
      const row = (await connection.fetch([[uid, uid]], query)).get(uid);
      if (row !== undefined) return row;
    } catch (error) {
      if (!(error instanceof Error && isRefusedFetch(error.cause) && connection.usable())) throw error;
    }
  }
  return (await connection.search([[uid, uid]])).length > 0 ? { uid } : null;
}

function isIn(uids: Uids, uid: number): boolean {
  return uids.some(([first, last]) => uid >= first && uid <= last);
}
