/** `npm run bench -- imap-import`: a mailbox from the IMAP server to committed rows, beside bare imapflow reading the same. */
import { parseArgs } from 'node:util';
import { countMessages, until } from './support/bench.ts';
import { quantile, rounded, show } from './support/figures.ts';
import { type ImapBench, startImapBench } from './support/imap-bench.ts';
import { cpuSeconds, peakRssMb } from './support/processes.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000' },
    /** Imports into the running stack after the first, each as a new account. */
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const messages = Number(values.messages);
const bench = await startImapBench({ mail: { count: messages } });
try {
  // The first makes Dovecot's index of the new mail, and warms imapflow up.
  await readBare(bench);
  const bareCpu = process.cpuUsage();
  const bare = [await readBare(bench)];
  const bareUs = micros(process.cpuUsage(bareCpu)) / messages;
  const cold = await importOnce(bench);
  const before = costsOf(bench);
  const warm: number[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    warm.push(await importOnce(bench));
    bare.push(await readBare(bench));
  }
  const { units } = bench.stack;
  const rss = units.slice(2).map((unit) => [unit.name, peakRssMb(unit.child().pid)] as const);
  const cpu = costsOf(bench).map(([name, us], n) => [name, (us - (before[n]?.[1] ?? 0)) / messages] as const);
  const ours = warm.length > 0 ? quantile(warm, 0.5) : cold;
  const theirs = Math.max(...bare);
  show(
    {
      messages_per_second: rounded(ours),
      ratio_to_imapflow: rounded(ours / theirs, 2),
      imapflow_messages_per_second: rounded(theirs),
      cold_messages_per_second: rounded(cold),
      rss_peak_mb: Math.max(...rss.map(([, mb]) => mb)),
      ...Object.fromEntries(rss.map(([name, mb]) => [`rss_${name.replace('-', '_')}_mb`, mb])),
      ...Object.fromEntries(
        cpu.map(([name, us]) => [`cpu_us_${name.replace('-', '_')}`, rounded(us / Math.max(1, warm.length))]),
      ),
      cpu_us_bare_imapflow: rounded(bareUs),
      messages,
    },
    values.json,
  );
} finally {
  await bench.stop();
}

/** Processor time so far of each process with its children, microseconds. */
function costsOf({ stack }: ImapBench) {
  return stack.units.map(({ name, child }) => [name, cpuSeconds(child().pid) * 1e6] as const);
}

function micros({ user, system }: NodeJS.CpuUsage): number {
  return user + system;
}

/** Messages per second from the account being added until all its rows are committed. */
async function importOnce({ addAccount, untilLive, db }: ImapBench): Promise<number> {
  const started = performance.now();
  const account = await addAccount();
  await until(10, async () => (await countMessages(db, account)) >= messages);
  const seconds = (performance.now() - started) / 1000;
  await untilLive(account);
  return messages / seconds;
}

/** Messages per second of imapflow alone: one warm connection, folder after folder, the items that an import asks for. */
async function readBare({ openClient }: ImapBench): Promise<number> {
  const client = await openClient();
  const folders = (await client.list()).filter(({ flags }) => !flags.has('\\Noselect'));
  const started = performance.now();
  let count = 0;
  for (const { path } of folders) {
    const { exists } = await client.mailboxOpen(path, { readOnly: true });
    if (exists === 0) continue;
    const items = {
      uid: true,
      flags: true,
      envelope: true,
      bodyStructure: true,
      internalDate: true,
      size: true,
    };
    for await (const row of client.fetch('1:*', { ...items, threadId: true, headers: ['references'] }))
      if (row.uid) count += 1;
  }
  const seconds = (performance.now() - started) / 1000;
  await client.logout();
  if (count !== messages) throw new Error(`the mailbox holds ${count} messages, not ${messages}`);
  return count / seconds;
}
