/** 50 changes in a large simulated mailbox, from the hint to the last committed row. */
import { connectMailstream, type Mailstream } from '@mailstream/client';
import type { AccountRef } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { until } from './bench.ts';
import { type Figures, quantile, rounded } from './figures.ts';
import { type Simulated, type SimulatedBench, startSimulatedBench } from './simulated-bench.ts';

const NEW = 20;
const READ = 20;
const REMOVED = 10;
const ADDRESS = 'bench@example.com';
/** The first finds everything cold, and is not counted. */
const WARM_UP = 1;

/** What the benches of changes take on the command line. */
export const CHANGES_OPTIONS = {
  messages: { type: 'string', default: '10000' },
  rounds: { type: 'string', default: '9' },
  json: { type: 'boolean', default: false },
} as const;

/** `cost`: a counter of what the mailbox has cost the provider so far; its median growth per round is given as `units`. */
export async function measureChanges(
  provider: Simulated,
  messages: number,
  rounds: number,
  cost?: (bench: SimulatedBench, mailbox: string) => number,
): Promise<Figures> {
  // No polls: the hint alone shall wake.
  const bench = await startSimulatedBench(provider, { MAILSTREAM_POLL_SECONDS: '3600' });
  try {
    const account = await bench.addMailbox(messages, ADDRESS)();
    await bench.untilLive(account);
    await using mailstream = await connectMailstream({ natsUrl: bench.stack.natsUrl });
    const seconds: number[] = [];
    const units: number[] = [];
    for (let round = 0; round < rounds + WARM_UP; round += 1) {
      const before = cost?.(bench, ADDRESS) ?? 0;
      seconds.push(await pass({ ...bench, mailstream, account }));
      units.push((cost?.(bench, ADDRESS) ?? 0) - before);
    }
    const counted = seconds.slice(WARM_UP);
    return {
      seconds: rounded(quantile(counted, 0.5), 3),
      seconds_worst: rounded(Math.max(...counted), 3),
      ...(cost ? { units: quantile(units.slice(WARM_UP), 0.5) } : {}),
      changes: NEW + READ + REMOVED,
      rounds: counted.length,
      messages,
    };
  } finally {
    await bench.stop();
  }
}

interface Round extends Pick<SimulatedBench, 'control' | 'db'> {
  readonly mailstream: Mailstream;
  readonly account: AccountRef;
}

/** Seconds from the hint until the inbox in the view is as it is at the provider. */
async function pass({ control, db, mailstream, account }: Round): Promise<number> {
  const mailbox = ADDRESS;
  const unread = control.messages({ mailbox, folder: 'inbox' }).filter(({ read }) => !read);
  const ids = unread.slice(0, READ + REMOVED).map(({ id }) => id);
  if (ids.length < READ + REMOVED) throw new Error('too few unread messages are left');
  control.deliver({ mailbox, count: NEW });
  control.markRead({ mailbox, ids: ids.slice(REMOVED), read: true });
  control.remove({ mailbox, ids: ids.slice(0, REMOVED) });
  const now = control.messages({ mailbox, folder: 'inbox' });
  const counts = { messages: now.length, unread: now.filter(({ read }) => !read).length };

  const started = performance.now();
  await mailstream.requestSync({ ...account, reason: 'push' });
  await until(3, () => isCaughtUp(db, account, counts));
  return (performance.now() - started) / 1000;
}

async function isCaughtUp(
  db: Db,
  { account }: AccountRef,
  wanted: { readonly messages: number; readonly unread: number },
): Promise<boolean> {
  const [row] = await db.query<{ messages: number; unread: number }>(
    "SELECT messages, unread FROM view.mailbox WHERE account = $1 AND role = 'inbox'",
    [account],
  );
  return row?.messages === wanted.messages && row.unread === wanted.unread;
}
