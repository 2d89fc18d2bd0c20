/** A careful client, written as plainly as can be: in the chaos profile it must still end up with the truth. */
import { describe, expect, test } from 'vitest';
import { adjust, chaos } from './behaviour.ts';
import { type Answer, entries, type Json, type JsonObject, startWorld, type World } from './testkit.ts';

const FIELDS = 'parentFolderId,isRead,flag,categories';

interface Mirror {
  sync(): Promise<void>;
  messages(): Map<Json, JsonObject>;
}

function createMirror(world: World): Mirror {
  const messages = new Map<Json, JsonObject>();
  const links = new Map<string, string>();

  const ask = async (path: string): Promise<Answer> => {
    for (let attempt = 0; attempt < 50; attempt++) {
      const answer = await world.graph(path, { headers: { 'accept-encoding': 'gzip' } }).catch(() => null);
      if (answer && answer.status !== 429 && answer.status < 500) return answer;
    }
    throw new Error(`No answer to ${path}.`);
  };
  const keep = ({ id, parentFolderId, isRead, flag, categories }: JsonObject) =>
    messages.set(id, { ...messages.get(id), parentFolderId, isRead, ...(flag ? { flag, categories } : {}) });
  /** What was said to be removed may only have moved, or not even that. */
  const verify = async (id: Json) => {
    const answer = await ask(`/me/messages/${id}?$select=${FIELDS}`);
    if (answer.status === 404) messages.delete(id);
    else keep(answer.body);
  };
  const apply = async (entry: JsonObject) => {
    const partial = entry.flag === undefined;
    if (entry['@removed'] || (partial && !messages.has(entry.id))) await verify(entry.id);
    else keep(entry);
  };
  const sweep = async (folder: string, seen: ReadonlySet<Json>) => {
    for (const [id, { parentFolderId }] of [...messages])
      if (parentFolderId === folder && !seen.has(id)) await verify(id);
  };
  const syncFolder = async (folder: string) => {
    const start = `/me/mailFolders/${folder}/messages/delta?$select=${FIELDS}`;
    let link = links.get(folder) ?? start;
    let fresh = link === start;
    const seen = new Set<Json>();
    for (;;) {
      const page = await ask(link);
      if (page.status === 410) {
        [link, fresh] = [start, true];
        seen.clear();
        continue;
      }
      if (page.status === 404) return sweep(folder, new Set());
      for (const entry of entries(page)) {
        seen.add(entry.id);
        await apply(entry);
      }
      const { '@odata.nextLink': next, '@odata.deltaLink': delta } = page.body;
      if (typeof delta === 'string') {
        links.set(folder, delta);
        return fresh ? sweep(folder, seen) : undefined;
      }
      link = String(next);
    }
  };
  return {
    messages: () => messages,
    sync: async () => {
      const folders = new Set(links.keys());
      let link: Json = '/me/mailFolders/delta?$select=displayName&includeHiddenFolders=true';
      while (typeof link === 'string') {
        const page: Answer = await ask(link);
        if (page.status === 410) {
          link = '/me/mailFolders/delta?$select=displayName&includeHiddenFolders=true';
          continue;
        }
        for (const { id, '@removed': removed } of entries(page)) if (!removed) folders.add(String(id));
        link = page.body['@odata.nextLink'];
      }
      for (const folder of folders) await syncFolder(folder);
    },
  };
}

describe('the chaos profile', () => {
  test.each([1, 2, 3])('leads a careful client to the truth (seed %i)', async (seed) => {
    const world = await startWorld(
      { seed, profile: adjust(chaos(), { latencyMs: [0, 0] }) },
      { messages: 60, locale: 'nl' },
    );
    const { control } = world.simulator;
    const mirror = createMirror(world);
    for (let round = 0; round < 4; round++) {
      await mirror.sync();
      control.churn({ mailbox: world.mailbox, operations: 15, folders: true });
      control.advance({ ms: 100 });
    }
    control.advance({ ms: 1_000 });
    await mirror.sync();

    const status = { none: 'notFlagged', flagged: 'flagged', complete: 'complete' };
    const truth = control.messages({ mailbox: world.mailbox });
    const expected = truth.map(({ id, folder, read, flag, categories }) => [
      id,
      { parentFolderId: folder, isRead: read, flag: { flagStatus: status[flag] }, categories },
    ]);
    expect(Object.fromEntries(mirror.messages())).toEqual(Object.fromEntries(expected));
    control.assertContract();
    const statuses = new Set(control.requests().map((request) => request.status));
    expect([...statuses].some((code) => code >= 400 && code !== 404)).toBe(true);
    await world.close();
  });

  test('is the same for the same seed and the same requests', async () => {
    const run = async () => {
      const world = await startWorld(
        { seed: 7, profile: adjust(chaos(), { latencyMs: [0, 0] }) },
        { messages: 30 },
      );
      world.simulator.control.churn({ mailbox: world.mailbox, operations: 30 });
      const answers = [];
      for (let count = 0; count < 20; count++) {
        const answer = await world.graph('/me/mailFolders/inbox/messages/delta').catch(() => null);
        answers.push([answer?.status, answer ? entries(answer).map(({ id }) => id) : []]);
      }
      await world.close();
      return answers;
    };
    expect(await run()).toEqual(await run());
  });
});
