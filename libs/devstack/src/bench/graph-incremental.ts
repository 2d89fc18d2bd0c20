/** `npm run bench -- graph-incremental`: 50 changes in a large Microsoft mailbox, from the hint to the last committed row. */
import { parseArgs } from 'node:util';
import { connectMailstream, type Mailstream } from '@mailstream/client';
import type { AccountRef } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { until } from './support/bench.ts';
import { quantile, rounded, show } from './support/figures.ts';
import { type GraphBench, startGraphBench } from './support/graph-bench.ts';

const NEW = 20;
const READ = 20;
const REMOVED = 10;
const ADDRESS = 'bench@contoso.example.com';
/** The first finds everything cold, and is not counted. */
const WARM_UP = 1;

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '9' },
    json: { type: 'boolean', default: false },
  },
});
const messages = Number(values.messages);

// No polls: the hint alone shall wake.
const bench = await startGraphBench({ MAILSTREAM_POLL_SECONDS: '3600' });
try {
  const account = await bench.addMailbox(messages, ADDRESS)();
  await bench.untilLive(account);
  await using mailstream = await connectMailstream({ natsUrl: bench.stack.natsUrl });
  const seconds: number[] = [];
  for (let round = 0; round < Number(values.rounds) + WARM_UP; round += 1)
    seconds.push(await pass({ ...bench, mailstream, account }));
  const counted = seconds.slice(WARM_UP);
  show(
    {
      seconds: rounded(quantile(counted, 0.5), 3),
      seconds_worst: rounded(Math.max(...counted), 3),
      changes: NEW + READ + REMOVED,
      rounds: counted.length,
      messages,
    },
    values.json,
  );
} finally {
  await bench.stop();
}

interface Round extends Pick<GraphBench, 'control' | 'db'> {
  readonly mailstream: Mailstream;
  readonly account: AccountRef;
}

/** Seconds from the hint until the inbox in the view is as it is at Microsoft. */
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
