import { type Bus, connectBus } from '@mailstream/bus';
import { type AccountRef, changeType, envelope, subjects, uuidv7 } from '@mailstream/contracts';
import { createNats, type TestNats } from '@mailstream/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Change } from './change.ts';
import { connectMailstream, type Mailstream } from './connect.ts';
import type { FollowOptions } from './follow.ts';
import { ChangesLostError } from './position.ts';

let nats: TestNats;
/** Stands in for the projector: it publishes what is followed, and lends readers of it. */
let projector: Bus;
let lending: Promise<void>;
const over = new AbortController();
let mailstream: Mailstream;
let stop: AbortController;

beforeAll(async () => {
  nats = await createNats();
  projector = await connectBus({ url: nats.url, name: 'projector' });
  await projector.ensureTopology();
  lending = projector.lendReaders(over.signal);
  mailstream = await connectMailstream({ natsUrl: nats.url });
});

afterAll(async () => {
  await mailstream?.close();
  over.abort();
  await lending;
  await projector?.close();
  await nats?.drop();
});

beforeEach(() => {
  stop = new AbortController();
});

afterEach(() => stop.abort());

/** An account nobody else uses. */
const newAccount = (tenant = 'acme') => ({ tenant, account: uuidv7() });

/** Its changes and no others. */
const only = ({ tenant, account }: AccountRef) => ({ tenant, accounts: [account] });

function publish(at: AccountRef, subject: string, type = changeType('message', 'created')): Promise<bigint> {
  const data = { version: '1', origin: 'live', changed: [], state: { subject } };
  const time = new Date().toISOString();
  const event = envelope({ id: uuidv7(), source: '/test', type, time, ...at, data });
  return projector.publish({ subject: subjects.change(at, 'message', 'created'), data: event });
}

/** Follows in the background; what arrived so far, and the end of it. */
function collect(options: FollowOptions) {
  const changes: Change[] = [];
  const ended = (async () => {
    for await (const change of mailstream.follow(options, stop.signal)) changes.push(change);
  })();
  ended.catch(() => undefined);
  return { changes, ended, subjects: () => changes.map(subjectOf) };
}

function subjectOf({ event }: Change): string | null {
  return event.type === 'mailstream.message.created.v1' ? event.data.state.subject : event.type;
}

const until = (condition: () => void | Promise<void>) =>
  vi.waitFor(condition, { timeout: 15_000, interval: 20 });

it('gives the changes of one account, in order, from a sequence', async () => {
  const at = newAccount();
  const before = await publish(at, 'not asked for');
  await publish(newAccount(), "somebody else's");
  for (const subject of ['a', 'b', 'c']) await publish(at, subject);
  const following = collect({ ...only(at), from: { sequence: before } });
  await until(() => expect(following.subjects()).toEqual(['a', 'b', 'c']));
  await publish(at, 'd');
  await until(() => expect(following.subjects()).toEqual(['a', 'b', 'c', 'd']));
});

it('gives the changes of a tenant, and of no other', async () => {
  const first = newAccount('tenant-1');
  const other = newAccount('tenant-2');
  const second = newAccount('tenant-1');
  const before = await publish(first, 'not asked for');
  await publish(other, 'other');
  await publish(first, 'a');
  await publish(second, 'b');
  const following = collect({ tenant: 'tenant-1', from: { sequence: before } });
  await until(() => expect(following.subjects()).toEqual(['a', 'b']));
});

it('gives what was published since a time', async () => {
  const at = newAccount();
  await publish(at, 'before');
  const time = new Date(
    (await projector.last('CHANGES', subjects.changesOf(at.tenant, at.account)))!.time.getTime() + 1,
  );
  await until(() => expect(Date.now()).toBeGreaterThan(time.getTime()));
  await publish(at, 'after');
  const following = collect({ ...only(at), from: { time } });
  await until(() => expect(following.subjects()).toEqual(['after']));
});

it('gives only what comes when it follows from now', async () => {
  const at = newAccount();
  await publish(at, 'old');
  const following = collect(only(at));
  // Where it begins is known only once something came: publish until it does.
  await until(async () => {
    await publish(at, 'new');
    expect(following.changes.length).toBeGreaterThan(0);
  });
  expect(following.subjects()).not.toContain('old');
});

it('leaves out types it does not know', async () => {
  const at = newAccount();
  const before = await publish(at, 'not asked for');
  await publish(at, 'from the future', 'mailstream.message.teleported.v1');
  await publish(at, 'a');
  const following = collect({ ...only(at), from: { sequence: before } });
  await until(() => expect(following.subjects()).toEqual(['a']));
});

it('goes on after the server died, with nothing lost and nothing twice', async () => {
  const at = newAccount();
  const before = await publish(at, 'not asked for');
  const following = collect({ ...only(at), from: { sequence: before } });
  const wanted: string[] = [];
  for (let round = 0; round < 2; round += 1) {
    for (let i = 0; i < 20; i += 1) {
      const subject = `${round}.${i}`;
      await publish(at, subject);
      wanted.push(subject);
    }
    await until(() => expect(following.changes.length).toBeGreaterThan(round * 20));
    await nats.kill();
    await nats.restart();
    await until(() => expect(projector.connected()).toBe(true));
  }
  await publish(at, 'last');
  await until(() => expect(following.subjects()).toEqual([...wanted, 'last']));
});

it('ends without an error when it is told to', async () => {
  const at = newAccount();
  const before = await publish(at, 'not asked for');
  await publish(at, 'a');
  const following = collect({ ...only(at), from: { sequence: before } });
  await until(() => expect(following.changes).toHaveLength(1));
  stop.abort();
  await following.ended;
});

it('says so when what comes next is not kept any more', async () => {
  const at = newAccount();
  const before = await publish(at, 'a');
  await publish(at, 'gone');
  await publish(at, 'gone, too');
  await projector.purge('CHANGES', 'changes.>');
  await publish(at, 'kept');
  await expect(collect({ ...only(at), from: { sequence: before } }).ended).rejects.toThrow(ChangesLostError);
});

it('says so when the stream ends before where it is to go on', async () => {
  const { last } = await projector.state('CHANGES');
  await expect(collect({ ...only(newAccount()), from: { sequence: last + 1n } }).ended).rejects.toThrow(
    ChangesLostError,
  );
});

it('says so when the stream was made anew under it', async () => {
  const at = newAccount();
  const before = await publish(at, 'not asked for');
  await publish(at, 'a');
  const following = collect({ ...only(at), from: { sequence: before } });
  await until(() => expect(following.changes).toHaveLength(1));
  await projector.request('$JS.API.STREAM.DELETE.CHANGES', {}, 5_000);
  await projector.ensureTopology();
  await expect(following.ended).rejects.toThrow(ChangesLostError);
});

it('asks for a sync with a hint that the orchestrator can read', async () => {
  const at = newAccount();
  const sequence = await mailstream.requestSync(at);
  const stored = await projector.last('SYNC', subjects.hint(at, 'push'));
  expect(stored?.sequence).toBe(sequence);
  await mailstream.requestSync({ ...at, reason: 'user' });
  expect(await projector.last('SYNC', subjects.hint(at, 'user'))).not.toBeNull();
});
