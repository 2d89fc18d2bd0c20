/** `npm run bench -- isolation`: 18 Microsoft mailboxes imported alone, then 18 others beside one that is throttled and one without consent. */
import { parseArgs } from 'node:util';
import type { AccountRef } from '@mailstream/contracts';
import { countCopies, until } from './support/bench.ts';
import { quantile, rounded, show } from './support/figures.ts';
import { type GraphBench, startGraphBench } from './support/graph-bench.ts';

const HEALTHY = 18;

const { values } = parseArgs({
  options: {
    /** Of each mailbox. */
    messages: { type: 'string', default: '500' },
    json: { type: 'boolean', default: false },
  },
});
const messages = Number(values.messages);
const bench = await startGraphBench({ messages });
const { control } = bench;
try {
  // The first import of fresh processes would be the slowest of all.
  await bench.untilLive(await bench.addAccount());
  const alone = await importAll(bench, 'alone', []);
  for (const name of ['slow', 'refused']) control.createMailbox({ address: addressOf(name, 0), messages });
  const [slow, refused] = [addressOf('slow', 0), addressOf('refused', 0)];
  control.throttle({ mailbox: slow, limits: { requests: 5, windowMs: 600_000, retryAfter: 30 } });
  control.refuse({ mailbox: refused, how: 'access-denied' });
  const beside = await importAll(bench, 'beside', [slow, refused]);
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

/** Seconds until each of the healthy mailboxes is imported; the others are connected first. */
async function importAll(
  { addAccount, db }: GraphBench,
  name: string,
  others: readonly string[],
): Promise<number[]> {
  const addresses = Array.from({ length: HEALTHY }, (_, n) => addressOf(name, n));
  for (const address of addresses) control.createMailbox({ address, messages });
  for (const address of others) await addAccount(address);
  const started = performance.now();
  const accounts: AccountRef[] = [];
  for (const address of addresses) accounts.push(await addAccount(address));
  return await Promise.all(
    accounts.map(async (account) => {
      await until(20, async () => (await countCopies(db, account)) >= messages);
      return (performance.now() - started) / 1000;
    }),
  );
}

function addressOf(name: string, n: number): string {
  return `${name}-${n}@contoso.example.com`;
}
