// A durable subscription is set back and forward, at rest and while it runs.
import { uuidv7 } from '@mailstream/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectMailstream, type Mailstream } from './connect.ts';
import { ChangesLostError } from './position.ts';
import { type ChangeWorld, createChangeWorld, newAccount, until } from './testkit.ts';

let world: ChangeWorld;
let mailstream: Mailstream;
beforeAll(async () => {
  world = await createChangeWorld();
  mailstream = await connectMailstream({ natsUrl: world.nats.url });
});
afterAll(async () => {
  await mailstream.close();
  await world.close();
});

it('gives again what a subscription had, and leaves out what it is set past', async () => {
  const at = newAccount(`t-${uuidv7()}`);
  const { tenant } = at;
  const sequences: bigint[] = [];
  for (const subject of ['1', '2', '3']) sequences.push(await world.publish(at, subject));
  await world.publish(newAccount(), 'of another tenant');
  const heard: string[] = [];
  const subscribe = () => {
    const stop = new AbortController();
    const ended = mailstream.subscribe<'message.created'>(
      { name: 'crm', tenant, types: ['message.created'], from: 'beginning', takeOverMs: 400 },
      async ({ event }) => void heard.push(event.data.state.subject ?? ''),
      stop.signal,
    );
    return async () => {
      stop.abort();
      await ended;
    };
  };
  const { signal } = new AbortController();
  const afterFirst = { tenant, name: 'crm', to: { sequence: sequences[0] ?? 0n } };
  expect(await mailstream.replay(afterFirst, signal)).toBeNull();

  let stop = subscribe();
  await until(() => expect(heard).toEqual(['1', '2', '3']));

  // While it runs.
  expect(await mailstream.replay({ ...afterFirst, dryRun: true }, signal)).toMatchObject({ changes: 2 });
  expect(await mailstream.replay(afterFirst, signal)).toMatchObject({ now: sequences[0], changes: 2 });
  await until(() => expect(heard).toEqual(['1', '2', '3', '2', '3']));
  await stop();

  // At rest, back and then forward past what was published meanwhile.
  await mailstream.replay({ tenant, name: 'crm', to: 'beginning' }, signal);
  await world.publish(at, 'left out');
  expect(await mailstream.replay({ tenant, name: 'crm', to: 'now' }, signal)).toMatchObject({ changes: 0 });
  stop = subscribe();
  await world.publish(at, '5');
  await until(() => expect(heard).toEqual(['1', '2', '3', '2', '3', '5']));
  await stop();

  const ahead = mailstream.replay({ tenant, name: 'crm', to: { sequence: 10_000n } }, signal);
  await expect(ahead).rejects.toThrow(ChangesLostError);
});
