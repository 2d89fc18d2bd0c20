/** `npm run bench -- incremental`: 50 changes in a large mailbox, from the hint to the last committed row. */
import { parseArgs } from 'node:util';
import { connectMailstream, type Mailstream } from '@mailstream/client';
import { type AccountRef, uidToId } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import type { ImapFlow } from 'imapflow';
import { until } from './support/bench.ts';
import { quantile, rounded, show } from './support/figures.ts';
import { startImapBench } from './support/imap-bench.ts';

const NEW = 20;
const FLAGGED = 20;
const EXPUNGED = 10;
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

// No watches and no polls: the hint alone shall wake.
const env = { MAILSTREAM_WATCHES: '0', MAILSTREAM_POLL_SECONDS: '3600' };
const bench = await startImapBench({ mail: { count: messages, folder: 'INBOX' }, env });
try {
  const account = await bench.addAccount();
  await bench.untilLive(account);
  const client = await bench.openClient();
  await using mailstream = await connectMailstream({ natsUrl: bench.stack.natsUrl });
  const seconds: number[] = [];
  for (let round = 0; round < Number(values.rounds) + WARM_UP; round += 1)
    seconds.push(await pass({ round, client, mailstream, account, db: bench.db }));
  const counted = seconds.slice(WARM_UP);
  show(
    {
      seconds: rounded(quantile(counted, 0.5), 3),
      seconds_worst: rounded(Math.max(...counted), 3),
      changes: NEW + FLAGGED + EXPUNGED,
      rounds: counted.length,
      messages,
    },
    values.json,
  );
} finally {
  await bench.stop();
}

interface Round {
  readonly round: number;
  readonly client: ImapFlow;
  readonly mailstream: Mailstream;
  readonly account: AccountRef;
  readonly db: Db;
}

/** Seconds from the hint until the view is as the mailbox. */
async function pass({ round, client, mailstream, account, db }: Round): Promise<number> {
  const keyword = `round-${round}`;
  await client.mailboxOpen('INBOX');
  const uids = await client.search({ all: true }, { uid: true });
  if (!uids) throw new Error('the mailbox does not answer');
  // Spread over the whole mailbox, and other ones in each round.
  const step = Math.floor(uids.length / (FLAGGED + EXPUNGED));
  const chosen = Array.from({ length: FLAGGED + EXPUNGED }, (_, n) => uids[n * step + round] ?? 1);
  for (let n = 0; n < NEW; n += 1)
    await client.append(
      'INBOX',
      `Subject: ${keyword}\r\nMessage-ID: <${n}.${keyword}@example.com>\r\n\r\nHi.\r\n`,
    );
  await client.messageFlagsAdd(chosen.slice(EXPUNGED), [keyword], { uid: true });
  await client.messageDelete(chosen.slice(0, EXPUNGED), { uid: true });
  await client.mailboxClose();

  const started = performance.now();
  await mailstream.requestSync({ ...account, reason: 'push' });
  await until(3, () => isCaughtUp(db, account, uids.length + NEW - EXPUNGED, chosen, keyword));
  return (performance.now() - started) / 1000;
}

async function isCaughtUp(
  db: Db,
  { account }: AccountRef,
  count: number,
  chosen: readonly number[],
  keyword: string,
): Promise<boolean> {
  const [row] = await db.query<{ count: number; left: number; flagged: number }>(
    `SELECT m.messages AS count, c.*
       FROM view.mailbox m CROSS JOIN LATERAL (
         SELECT count(*)::int AS left, (count(*) FILTER (WHERE $2 = ANY(flags)))::int AS flagged
           FROM view.copy WHERE account = m.account AND mailbox = m.mailbox AND id = ANY($3)) c
      WHERE m.account = $1 AND m.role = 'inbox'`,
    [account, keyword, chosen.map(uidToId)],
  );
  return row?.count === count && row.left === FLAGGED && row.flagged === FLAGGED;
}
