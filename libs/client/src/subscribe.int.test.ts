import { type AccountRef, subjects, uuidv7 } from '@mailstream/contracts';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Change } from './change.ts';
import { connectMailstream, type Mailstream } from './connect.ts';
import { ChangesLostError } from './position.ts';
import type { ChangeHandler, SubscribeOptions } from './subscribe.ts';
import { type ChangeWorld, createChangeWorld, newAccount, until } from './testkit.ts';

let world: ChangeWorld;
let mailstream: Mailstream;
let tenant: string;
let stops: AbortController[];

beforeAll(async () => {
  world = await createChangeWorld();
  mailstream = await connectMailstream({ natsUrl: world.nats.url });
});

afterAll(async () => {
  await mailstream.close();
  await world.close();
});

beforeEach(() => {
  tenant = `t-${uuidv7()}`;
  stops = [];
});

afterEach(() => {
  for (const stop of stops) stop.abort();
});

const NAME = 'crm';
const QUICK = { retry: { baseMs: 5, maxMs: 20 }, takeOverMs: 400, onError: () => undefined } as const;

interface Running {
  /** Subjects of what was handled, by account. */
  readonly heard: Map<string, string[]>;
  readonly ended: Promise<void>;
  /** Stops it cleanly. */
  stop(): Promise<void>;
}

type Created = Change<'message.created'>;

/** Subscribes to new messages; `before` runs ahead of the handler's own note. */
function subscribe(
  before: ChangeHandler<'message.created'> = async () => undefined,
  options: Partial<SubscribeOptions<'message.created'>> = {},
  via = mailstream,
): Running {
  const stop = new AbortController();
  stops.push(stop);
  const heard = new Map<string, string[]>();
  const all = { name: NAME, tenant, types: ['message.created'] as const, from: 'beginning' as const };
  const ended = via.subscribe<'message.created'>(
    { ...QUICK, ...all, ...options },
    async (change) => {
      await before(change);
      note(heard, change);
    },
    stop.signal,
  );
  ended.catch(() => undefined);
  return {
    heard,
    ended,
    async stop() {
      stop.abort();
      await ended;
    },
  };
}

function note(heard: Map<string, string[]>, { event }: Created): void {
  heard.set(event.account, [...(heard.get(event.account) ?? []), event.data.state.subject ?? '']);
}

async function publish(at: AccountRef, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n += 1) await world.publish(at, `${n}`);
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => `${from + n}`);

it('hands over what was selected, in order, and goes on where it was', async () => {
  const [a, b] = [newAccount(tenant), newAccount(tenant)];
  await publish(a, 1, 5);
  await publish(b, 1, 3);
  await world.publish(a, 'not asked for', 'updated');
  const first = subscribe(undefined, { accounts: [a.account] });
  await until(() => expect(first.heard.get(a.account)).toEqual(numbers(1, 5)));
  await first.stop();
  await publish(a, 6, 8);
  const second = subscribe(undefined, { accounts: [a.account] });
  await until(() => expect(second.heard.get(a.account)).toEqual(numbers(6, 8)));
  expect(second.heard.has(b.account)).toBe(false);
});

it('lets other accounts go on while one fails, and tries that one until it succeeds', async () => {
  const [bad, good] = [newAccount(tenant), newAccount(tenant)];
  await publish(bad, 1, 3);
  await publish(good, 1, 30);
  let broken = true;
  const failures: number[] = [];
  const running = subscribe(
    async ({ event }) => {
      if (broken && event.account === bad.account) throw new Error('not today');
    },
    { concurrency: 1, onError: ({ attempts }) => failures.push(attempts) },
  );
  await until(() => expect(running.heard.get(good.account)).toEqual(numbers(1, 30)));
  await until(() => expect(failures.length).toBeGreaterThan(2));
  expect(failures).toEqual(numbers(1, failures.length).map(Number));
  expect(running.heard.has(bad.account)).toBe(false);
  broken = false;
  await until(() => expect(running.heard.get(bad.account)).toEqual(numbers(1, 3)));
});

it('gives a change up after so many tries, when told whom to give it to', async () => {
  const at = newAccount(tenant);
  await publish(at, 1, 3);
  const letters: unknown[] = [];
  const running = subscribe(
    async ({ event }) => {
      if (event.data.state.subject === '2') throw new Error('never');
    },
    {
      deadLetter: {
        after: 3,
        async handle({ change, error, attempts }) {
          letters.push([change.event.data.state.subject, String(error), attempts]);
          if (letters.length === 1) throw new Error('the desk is closed');
        },
      },
    },
  );
  await until(() => expect(running.heard.get(at.account)).toEqual(['1', '3']));
  expect(letters).toEqual([
    ['2', 'Error: never', 3],
    ['2', 'Error: never', 3],
  ]);
});

it('waits for the handler under way when it is stopped, and does not repeat what that did', async () => {
  const at = newAccount(tenant);
  await publish(at, 1, 2);
  const began = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const first = subscribe(async () => {
    began.resolve();
    await end.promise;
  });
  await began.promise;
  const stopped = first.stop();
  end.resolve();
  await stopped;
  expect(first.heard.get(at.account)).toEqual(['1']);
  const second = subscribe();
  await until(() => expect(second.heard.get(at.account)).toEqual(['2']));
});

it('is taken over from a process that died, in order per account, without what was saved', async () => {
  const [stuck, busy] = [newAccount(tenant), newAccount(tenant)];
  const doomed = await connectMailstream({ natsUrl: world.nats.url });
  await publish(stuck, 1, 4);
  await publish(busy, 1, 20);
  const first = subscribe(
    async ({ event }) => {
      if (event.account === stuck.account && event.data.state.subject === '3')
        await new Promise<never>(() => undefined);
    },
    {},
    doomed,
  );
  await until(async () => {
    expect(first.heard.get(busy.account)).toEqual(numbers(1, 20));
    const saved = await world.bus.last('SUBSCRIBERS', subjects.subscriber(tenant, NAME));
    const { ahead } = JSON.parse(Buffer.from(saved!.data).toString());
    expect(ahead.map(([account]: [string]) => account)).toContain(busy.account);
  });
  const second = subscribe();
  await publish(stuck, 5, 6);
  await publish(busy, 21, 22);
  await until(() => expect(first.heard.get(busy.account)).toEqual(numbers(1, 22)));
  expect(second.heard.size).toBe(0);
  // As when the process is gone: nothing more is said.
  await doomed.close();
  await until(() => expect(second.heard.get(stuck.account)).toEqual(numbers(3, 6)));
  await publish(busy, 23, 23);
  await until(() => expect(second.heard.get(busy.account)?.at(-1)).toBe('23'));
  expect(second.heard.get(busy.account)).not.toContain('20');
});

it('throws when what was to come next is not kept any more, and begins anew once it is forgotten', async () => {
  const at = newAccount(tenant);
  await publish(at, 1, 1);
  const first = subscribe();
  await until(() => expect(first.heard.get(at.account)).toEqual(['1']));
  await first.stop();
  await publish(at, 2, 4);
  await world.bus.purge('CHANGES', '>');
  await publish(at, 5, 5);
  await expect(subscribe().ended).rejects.toThrow(ChangesLostError);
  await mailstream.forget({ tenant, name: NAME });
  const second = subscribe();
  await until(() => expect(second.heard.get(at.account)).toEqual(['5']));
});

it('refuses a selection of nothing', async () => {
  await expect(subscribe(undefined, { accounts: [] }).ended).rejects.toThrow('selects nothing');
});
