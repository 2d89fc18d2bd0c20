/** `npm run bench -- latency`: from a message that the IMAP server has taken to the change event that a subscriber gets. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connectMailstream } from '@mailstream/client';
import type { AccountRef } from '@mailstream/contracts';
import type { ImapFlow } from 'imapflow';
import { createRandom } from '../random.ts';
import { countMessages, until } from './support/bench.ts';
import { quantile, rounded, show } from './support/figures.ts';
import { type ImapBench, startImapBench } from './support/imap-bench.ts';

const INBOX = { count: 500, folder: 'INBOX' };

const { values } = parseArgs({
  options: { appends: { type: 'string', default: '200' }, json: { type: 'boolean', default: false } },
});
const appends = Number(values.appends);
/** Not timed: the first few find everything cold. */
const WARM_UP = 10;

/** When each message was seen where, milliseconds, in the order of the appends. */
interface Times {
  /** Taken by the server. */
  readonly appended: number[];
  /** Told to a bare client in IDLE on the same mailbox: the server's own delay. */
  readonly noticed: number[];
  readonly row: number[];
  readonly change: number[];
}

const bench = await startImapBench({ mail: INBOX });
const stop = new AbortController();
const times: Times = { appended: [], noticed: [], row: [], change: [] };
try {
  const account = await bench.addAccount();
  await bench.untilLive(account);
  const watching = Promise.all([
    watchBare(await bench.openClient()),
    watchRows(bench, account),
    watchChanges(bench.stack.natsUrl, account),
  ]);
  await Promise.race([watching, append(await bench.openClient())]);
  await until(50, async () => Math.min(times.change.length, times.row.length) === appends + WARM_UP);
  report();
} finally {
  stop.abort();
  await bench.stop();
}

function report(): void {
  const between = (from: readonly number[], to: readonly number[]) =>
    to.map((time, n) => time - (from[n] ?? Number.NaN)).slice(WARM_UP);
  const total = between(times.appended, times.change);
  const own = between(times.noticed, times.change);
  const row = between(times.noticed, times.row);
  show(
    {
      p50_ms: rounded(quantile(total, 0.5)),
      p99_ms: rounded(quantile(total, 0.99)),
      server_p50_ms: rounded(quantile(between(times.appended, times.noticed), 0.5)),
      own_p50_ms: rounded(quantile(own, 0.5), 1),
      own_p99_ms: rounded(quantile(own, 0.99), 1),
      own_row_p50_ms: rounded(quantile(row, 0.5), 1),
      row_p50_ms: rounded(quantile(between(times.appended, times.row), 0.5)),
      appends,
    },
    values.json,
  );
}

/** At irregular distances, so that nothing falls into step with a timer. */
async function append(client: ImapFlow): Promise<void> {
  const random = createRandom(7);
  for (let n = 0; n < appends + WARM_UP; n += 1) {
    await sleep(200 + random.integer(1_000));
    const headers = `Subject: Message ${n}\r\nMessage-ID: <${n}@example.com>\r\nFrom: ada@example.com\r\n`;
    await client.append('INBOX', `${headers}\r\nHello.\r\n`);
    times.appended.push(performance.now());
  }
}

async function watchBare(client: ImapFlow): Promise<void> {
  client.on('exists', ({ count }: { count: number }) => fill(times.noticed, count - INBOX.count));
  await client.mailboxOpen('INBOX', { readOnly: true });
  while (!stop.signal.aborted && client.usable) await client.idle();
}

/** By asking again and again: a millisecond or two late. */
async function watchRows({ db }: ImapBench, account: AccountRef): Promise<void> {
  while (!stop.signal.aborted) {
    if (times.row.length < times.appended.length)
      fill(times.row, (await countMessages(db, account)) - INBOX.count);
    await sleep(2);
  }
}

async function watchChanges(natsUrl: string, account: AccountRef): Promise<void> {
  await using mailstream = await connectMailstream({ natsUrl });
  for await (const { event } of mailstream.follow(
    { tenant: account.tenant, accounts: [account.account] },
    stop.signal,
  )) {
    if (event.type !== 'mailstream.message.created.v1') continue;
    // The import may still be being told.
    const number = /^Message ([0-9]+)$/.exec(event.data.state.subject ?? '')?.[1];
    if (number !== undefined) times.change[Number(number)] = performance.now();
  }
}

/** All up to the `count`th are there now. */
function fill(list: number[], count: number): void {
  while (list.length < count) list.push(performance.now());
}
