/** Asks for messages, each by itself or by its thread, whichever costs less. */
import type { Origin } from '@mailstream/contracts';
import { listOf } from '../json.ts';
import type { Change, ProviderError } from '../provider.ts';
import type { Listed } from './cursor.ts';
import { HEADERS, idOf, upsertOf } from './message.ts';
import type { Open } from './open.ts';

export interface Asked {
  readonly changes: readonly Change[];
  /** Gmail does not have these, or not yet. */
  readonly missing: readonly string[];
  /** These could not be asked for. */
  readonly left: readonly string[];
  /** Why not. */
  readonly failure: ProviderError | null;
}

const PARAMETERS = { format: 'metadata', metadataHeaders: HEADERS };

export async function askFor(open: Open, ids: readonly string[], origin: Origin): Promise<Asked> {
  const paths = ids.map((id) => `/messages/${id}`);
  const got = await open.client.getEach('messages.get', paths, PARAMETERS, open.signal);
  return await sort(ids, got, async (id, body) => [await told(open, id, body, origin)]);
}

/** All messages of threads. */
export async function askForThreads(open: Open, threads: readonly string[], origin: Origin): Promise<Asked> {
  const paths = threads.map((id) => `/threads/${id}`);
  const got = await open.client.getEach('threads.get', paths, PARAMETERS, open.signal);
  return await sort(threads, got, (_, body) =>
    Promise.all(
      listOf(body, 'messages').flatMap((message) => {
        const id = idOf(message);
        return id === null ? [] : [told(open, id, message, origin)];
      }),
    ),
  );
}

/** Those that were answered are read; an answer that there is no such thing is one, too. */
async function sort(
  ids: readonly string[],
  got: Awaited<ReturnType<Open['client']['getEach']>>,
  read: (id: string, body: unknown) => Promise<readonly Change[]>,
): Promise<Asked> {
  const changes: Change[] = [];
  const missing: string[] = [];
  const left: string[] = [];
  let failure: ProviderError | null = null;
  for (const [at, id] of ids.entries()) {
    const one = got[at];
    if (!one) continue;
    if ('body' in one) changes.push(...(await read(id, one.body)));
    else if (one.error.failure === 'gone') missing.push(id);
    else {
      left.push(id);
      failure ??= one.error;
    }
  }
  return { changes, missing, left, failure };
}

/** Messages of a list. Those of one thread are asked for together where that costs less. */
export async function askForListed(open: Open, listed: readonly Listed[]): Promise<Asked> {
  const { cost } = open.ledger;
  const worth = cost('threads.get') / cost('messages.get');
  const groups = [...Map.groupBy(listed, ({ thread }) => thread)];
  const together = groups.filter(([, members]) => members.length > worth);
  const alone = groups.filter(([, members]) => members.length <= worth).flatMap(([, members]) => members);
  const threads = await askForThreads(
    open,
    together.map(([thread]) => thread),
    'backfill',
  );
  const wanted = new Map(together.flatMap(([thread, members]) => members.map(({ id }) => [id, thread])));
  // What a thread holds beyond these has its turn later.
  const changes = threads.changes.filter(({ data }) => 'key' in data && wanted.delete(data.key));
  const unasked = new Set(threads.left);
  const left = [...wanted].filter(([, thread]) => unasked.has(thread)).map(([id]) => id);
  const missing = [...wanted.keys()].filter((id) => !left.includes(id));
  const ids = alone.map(({ id }) => id);
  if (threads.failure) return { ...threads, changes, missing, left: [...left, ...ids] };
  const rest = await askFor(open, ids, 'backfill');
  return {
    ...rest,
    changes: inOrder(listed, [...changes, ...rest.changes]),
    missing: [...missing, ...rest.missing],
  };
}

/** As they were listed, the newest first. */
function inOrder(listed: readonly Listed[], changes: readonly Change[]): Change[] {
  const places = new Map(listed.map(({ id }, place) => [id, place]));
  const placeOf = ({ data }: Change) => ('key' in data ? (places.get(data.key) ?? 0) : 0);
  return changes.toSorted((a, b) => placeOf(a) - placeOf(b));
}

async function told(open: Open, id: string, message: unknown, origin: Origin): Promise<Change> {
  return { kind: 'message', data: upsertOf(id, message, await open.labels(), origin) };
}
