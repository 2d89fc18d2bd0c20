/** `npm run bench -- isolation`: 18 Microsoft mailboxes imported alone, then 18 others beside one that is throttled and one without consent. */
import { parseArgs } from 'node:util';
import type { AccountRef } from '@mailstream/contracts';
import { countMessages, until } from './support/bench.ts';
import { quantile, rounded, show } from './support/figures.ts';
import { type SimulatedBench, startSimulatedBench } from './support/simulated-bench.ts';

const HEALTHY = 18;

const { values } = parseArgs({
  options: {
    /** Of each mailbox. */
    messages: { type: 'string', default: '500' },
    json: { type: 'boolean', default: false },
  },
});
const messages = Number(values.messages);
const bench = await startSimulatedBench('microsoft');
const { control } = bench;
try {
  // The first import of fresh processes would be the slowest of all.
  await bench.untilLive(await bench.addMailbox(messages)());
  const alone = await importAll(bench);
  const connect = ['slow@contoso.example.com', 'refused@contoso.example.com'].map((address) =>
    bench.addMailbox(messages, address),
  );
  control.throttle({
    mailbox: 'slow@contoso.example.com',
    limits: { requests: 5, windowMs: 600_000, retryAfter: 30 },
  });
  control.refuse({ mailbox: 'refused@contoso.example.com', how: 'access-denied' });
  for (const each of connect) await each();
  const beside = await importAll(bench);
  show(
    {
      // 1: not slowed at all.
      ratio: rounded(quantile(beside, 0.5) / quantile(alone, 0.5), 2),
      ratio_of_the_last: rounded(Math.max(...beside) / Math.max(...alone), 2),
      alone_seconds: rounded(Math.max(...alone), 2),
      beside_seconds: rounded(Math.max(...beside), 2),
      accounts: HEALTHY + 2,
      messages,
    },
    values.json,
  );
} finally {
  await bench.stop();
}

/** Seconds until each of so many healthy mailboxes is imported. */
async function importAll({ addMailbox, db }: SimulatedBench): Promise<number[]> {
  const connect = Array.from({ length: HEALTHY }, () => addMailbox(messages));
  const started = performance.now();
  const accounts: AccountRef[] = [];
  for (const each of connect) accounts.push(await each());
  return await Promise.all(
    accounts.map(async (account) => {
      await until(20, async () => (await countMessages(db, account)) >= messages);
      return (performance.now() - started) / 1000;
    }),
  );
}
