/** Lists of Gmail: pages whose tokens are positions in a list that moves. */
import { listOf, textOf } from '../json.ts';
import type { Listed } from './cursor.ts';
import { isAfter } from './history.ts';
import { idOf } from './message.ts';
import type { Open } from './open.ts';

export interface ListPage {
  readonly listed: readonly Listed[];
  readonly token: string | null;
}

/** All mail, the newest first, with spam and trash. */
export async function listMessages(
  { client, signal }: Open,
  size: number,
  token: string | null,
): Promise<ListPage> {
  const body = await client.get('messages.list', '/messages', parameters(size, token), signal);
  const listed = listOf(body, 'messages').flatMap((message) => {
    const id = idOf(message);
    return id === null ? [] : [{ id, thread: idOf(message, 'threadId') ?? id }];
  });
  return { listed, token: textOf(body, 'nextPageToken') };
}

/** Ids of all messages, in the order of the list. Of several pages only what two passes miss is not there. */
export async function listAll(open: Open): Promise<Set<string>> {
  return twice(async (found) => {
    let pages = 0;
    for (let token: string | null = null; pages === 0 || token !== null; pages += 1) {
      const page = await listMessages(open, open.tuning.list, token);
      for (const { id } of page.listed) found.add(id);
      token = page.token;
    }
    return pages;
  });
}

/** Ids of the threads that changed after a history id. */
export async function changedThreads(open: Open, history: string): Promise<Set<string>> {
  const { client, signal, tuning } = open;
  return twice(async (found) => {
    let pages = 0;
    for (let token: string | null = null; pages === 0 || token !== null; pages += 1) {
      const body = await client.get('threads.list', '/threads', parameters(tuning.list, token), signal);
      for (const thread of listOf(body, 'threads')) {
        const id = idOf(thread);
        if (id !== null && isAfter(textOf(thread, 'historyId') ?? '', history)) found.add(id);
      }
      token = textOf(body, 'nextPageToken');
    }
    return pages;
  });
}

async function twice(pass: (found: Set<string>) => Promise<number>): Promise<Set<string>> {
  const found = new Set<string>();
  if ((await pass(found)) > 1) await pass(found);
  return found;
}

function parameters(size: number, token: string | null) {
  const all = { includeSpamTrash: 'true', maxResults: String(size) };
  return token === null ? all : { ...all, pageToken: token };
}
