/** A careful client, written as plainly as can be: in the chaos profile it must still end up with the truth. */
import { describe, expect, test } from 'vitest';
import { adjust, chaos, quotaProfile } from '../behaviour.ts';
import { type Answer, isObject, type Json, type JsonObject } from '../testkit.ts';
import { at, type GmailWorld, listOf, startGmail } from './testkit.ts';

interface Mirror {
  sync(): Promise<void>;
  /** Labels by message id. */
  messages(): Record<string, readonly string[]>;
}

function createMirror(world: GmailWorld): Mirror {
  const messages = new Map<string, readonly string[]>();
  /** Announced, but not to be read yet. */
  const missing = new Set<string>();
  let cursor: Json = null;

  const ask = async (path: string): Promise<Answer> => {
    for (let attempt = 0; attempt < 50; attempt++) {
      const answer = await world.gmail(path, { headers: { 'accept-encoding': 'gzip' } }).catch(() => null);
      if (answer && answer.status < 500 && answer.status !== 403 && answer.status !== 429) return answer;
    }
    throw new Error(`No answer to ${path}.`);
  };
  const labelsOf = (message: Json) => {
    const labels = at(message, 'labelIds');
    return Array.isArray(labels) ? labels.map(String).sort() : [];
  };
  const read = async (id: string) => {
    const { status, body } = await ask(`/messages/${id}?format=minimal`);
    if (status === 404) return missing.add(id);
    missing.delete(id);
    return messages.set(id, labelsOf(body));
  };
  const forget = (id: string) => {
    messages.delete(id);
    missing.delete(id);
  };
  const apply = async (record: JsonObject) => {
    for (const { message } of listOf(record, 'messagesAdded')) await read(String(at(message, 'id')));
    for (const kind of ['labelsAdded', 'labelsRemoved'])
      for (const { message } of listOf(record, kind)) {
        const id = String(at(message, 'id'));
        if (!messages.has(id) || !isObject(message) || !('labelIds' in message)) await read(id);
        else messages.set(id, labelsOf(message));
      }
    for (const { message } of listOf(record, 'messagesDeleted')) forget(String(at(message, 'id')));
  };
  const begin = async () => {
    cursor = (await ask('/profile')).body.historyId;
    const listed = new Set<string>();
    for (let token: Json = ''; token !== undefined; ) {
      const { body } = await ask(
        `/messages?includeSpamTrash=true&maxResults=20${token && `&pageToken=${token}`}`,
      );
      for (const { id } of listOf(body, 'messages')) listed.add(String(id));
      token = body.nextPageToken;
    }
    for (const id of [...messages.keys(), ...missing]) if (!listed.has(id)) forget(id);
    for (const id of listed) await read(id);
  };
  const follow = async (): Promise<void> => {
    let next: Json = cursor;
    for (let token: Json = ''; token !== undefined; ) {
      const page: Answer = await ask(`/history?startHistoryId=${cursor}${token && `&pageToken=${token}`}`);
      if (page.status === 404) {
        await begin();
        return follow();
      }
      for (const record of listOf(page.body, 'history')) await apply(record);
      next = page.body.historyId;
      token = page.body.nextPageToken;
    }
    cursor = next;
  };
  return {
    messages: () => Object.fromEntries(messages),
    sync: async () => {
      if (cursor === null) await begin();
      await follow();
      for (const id of [...missing]) await read(id);
      // Labels that were deleted are told nowhere.
      const known = new Set(listOf((await ask('/labels')).body, 'labels').map(({ id }) => String(id)));
      for (const [id, labels] of messages)
        messages.set(
          id,
          labels.filter((label) => known.has(label)),
        );
    },
  };
}

const PROFILE = adjust(chaos(), { latencyMs: [0, 0], quota: quotaProfile('off') });

describe('the chaos profile of Gmail', () => {
  test.each([1, 2, 3])('leads a careful client to the truth (seed %i)', async (seed) => {
    await using world = await startGmail({ seed, profile: PROFILE }, { messages: 60 });
    const { control, mailbox } = world;
    const mirror = createMirror(world);
    for (let round = 0; round < 5; round++) {
      await mirror.sync();
      control.churn({ mailbox, operations: 20, folders: true });
      control.advance({ ms: 100 });
    }
    control.advance({ ms: 1_000 });
    await mirror.sync();
    const truth = control.messages({ mailbox }).map(({ id, labels }) => [id, [...labels]]);
    expect(mirror.messages()).toEqual(Object.fromEntries(truth));
    control.assertContract();
    const statuses = new Set(control.requests().map(({ status }) => status));
    expect([...statuses].some((code) => code >= 400 && code !== 404)).toBe(true);
  });

  test('is the same for the same seed and the same requests', async () => {
    const run = async () => {
      await using world = await startGmail({ seed: 7, profile: PROFILE }, { messages: 30 });
      world.control.churn({ mailbox: world.mailbox, operations: 30 });
      const answers: unknown[] = [];
      for (let count = 0; count < 20; count++)
        answers.push(
          await world.gmail('/history?startHistoryId=1').then(({ status, body }) => [status, body], String),
        );
      return answers;
    };
    expect(await run()).toEqual(await run());
  });
});
