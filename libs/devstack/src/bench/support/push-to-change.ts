/** From a message that arrives at Microsoft to the change event that a subscriber gets: the whole product, woken by webhooks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectMailstream } from '@mailstream/client';
import type { AccountRef } from '@mailstream/contracts';
import { createRandom } from '../../random.ts';
import { until } from './bench.ts';
import { type SimulatedBench, startSimulatedBench } from './simulated-bench.ts';

const ADDRESS = 'bench@contoso.example.com';
/** Not timed: the first few find everything cold. */
const WARM_UP = 10;

/** Milliseconds of each of `count` arrivals in a mailbox of 500 messages; duplicated notifications come with this probability. */
export async function measurePushToChange(count: number, duplicates: number): Promise<number[]> {
  // No polls: notifications alone shall wake.
  const bench = await startSimulatedBench('microsoft', { MAILSTREAM_POLL_SECONDS: '3600' });
  const stop = new AbortController();
  try {
    bench.control.behave({ notifications: { duplicates } });
    const account = await bench.addMailbox(500, ADDRESS)();
    await bench.untilLive(account);
    await untilSubscribed(bench);
    const told = new Map<string, number>();
    const watching = watch(bench, account, told, stop.signal);
    const arrived = new Map<string, number>();
    await Promise.race([watching, arrive(bench, arrived, count + WARM_UP)]);
    await until(50, async () => [...arrived.keys()].every((id) => told.has(id)));
    return [...arrived].map(([id, at]) => (told.get(id) ?? Number.NaN) - at).slice(WARM_UP);
  } finally {
    stop.abort();
    await bench.stop();
  }
}

async function untilSubscribed({ control }: SimulatedBench): Promise<void> {
  await until(50, async () => control.requests().some(isSubscription));
}

const isSubscription = ({ method, path, status }: { method: string; path: string; status: number }) =>
  method === 'POST' && path.endsWith('/subscriptions') && status === 201;

/** At irregular distances, so that nothing falls into step with a timer. */
async function arrive(
  { control }: SimulatedBench,
  arrived: Map<string, number>,
  count: number,
): Promise<void> {
  const random = createRandom(7);
  for (let n = 0; n < count; n += 1) {
    await sleep(100 + random.integer(300));
    const at = performance.now();
    for (const id of control.deliver({ mailbox: ADDRESS })) arrived.set(id, at);
  }
}

async function watch(
  { stack }: SimulatedBench,
  account: AccountRef,
  told: Map<string, number>,
  signal: AbortSignal,
): Promise<void> {
  await using mailstream = await connectMailstream({ natsUrl: stack.natsUrl });
  for await (const { event } of mailstream.follow(
    { tenant: account.tenant, accounts: [account.account] },
    signal,
  )) {
    if (event.type !== 'mailstream.message.created.v1') continue;
    for (const { id } of event.data.state.copies) told.set(id, performance.now());
  }
}
