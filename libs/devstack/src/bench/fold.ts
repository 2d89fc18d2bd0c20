/** `npm run bench -- fold`: how fast the projector folds a full log into the view and publishes the changes, everything on this machine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Bus, connectBus } from '@mailstream/bus';
import { type AccountRef, subjects } from '@mailstream/contracts';
import { ensureTokenKey } from '../dev-token.ts';
import { startNats } from '../nats-server.ts';
import { freePort } from '../ports.ts';
import { startPostgres } from '../postgres.ts';
import { startService } from '../stack.ts';
import { factPage } from './support/fact-page.ts';
import { rounded, show } from './support/figures.ts';
import { cpuSeconds, peakRssMb } from './support/processes.ts';
import { isToldToTheEnd } from './support/told-to-the-end.ts';

const PAGE = 500;

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    accounts: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
});
const messages = Number(values.messages);
const accounts: AccountRef[] = Array.from({ length: Number(values.accounts) }, (_, n) => ({
  tenant: 'default',
  account: `account-${n}`,
}));

const dir = mkdtempSync(join(tmpdir(), 'mailstream-bench-'));
const stops: (() => Promise<void>)[] = [() => Promise.resolve(rmSync(dir, { recursive: true, force: true }))];
try {
  const postgres = await startPostgres({ dir: join(dir, 'postgres') });
  stops.push(() => postgres.stop());
  const nats = await startNats({ dir: join(dir, 'nats') });
  stops.push(() => nats.stop());
  const bus = await connectBus({ url: nats.url, name: 'bench' });
  stops.push(() => bus.close());

  await bus.ensureTopology();
  const bytes = await fill(bus);
  note(`${messages} facts in the log, ${Math.round(bytes / messages)} bytes each`);

  const projector = await startService({
    name: 'mailbox-projector',
    dir,
    port: await freePort(),
    env: { NATS_URL: nats.url, DATABASE_URL: postgres.url, MAILSTREAM_JWT_KEY_FILE: ensureTokenKey(dir) },
  });
  stops.push(() => projector.stop());
  const pids = { projector: projector.child().pid, postgres: postgres.child.pid, nats: nats.child.pid };
  const costs = () => Object.values(pids).map(cpuSeconds);
  const before = costs();
  const started = performance.now();
  while (!(await isToldToTheEnd(bus, accounts))) await sleep(50);
  const seconds = (performance.now() - started) / 1000;
  const cpu = costs().map((after, n) => ((after - (before[n] ?? 0)) / messages) * 1e6);
  show(
    {
      events_per_second: rounded(messages / seconds),
      messages,
      accounts: accounts.length,
      seconds: rounded(seconds, 2),
      ...Object.fromEntries(
        Object.keys(pids).map((name, n) => [`cpu_us_per_event_${name}`, rounded(cpu[n] ?? 0)]),
      ),
      rss_peak_mb: peakRssMb(pids.projector),
    },
    values.json,
  );
} finally {
  for (const stop of stops.toReversed()) await stop();
}

/** Pages of new mail, the accounts in turn as a log has them; returns the bytes of the facts. */
async function fill(bus: Bus): Promise<number> {
  let bytes = 0;
  const fences = new Map<string, bigint>();
  for (let first = 0, n = 0; first < messages; first += PAGE, n += 1) {
    const at = accounts[n % accounts.length];
    if (!at) throw new Error('--accounts must be at least 1');
    const count = Math.min(PAGE, messages - first);
    const page = factPage(at, { number: Math.floor(n / accounts.length), first, count });
    const cursor = subjects.cursor(at, 'inbox');
    const stored = await bus.publishBatch(page, {
      subject: cursor,
      sequence: fences.get(at.account) ?? 0n,
    });
    if (stored.outcome !== 'committed') throw new Error(`a page was not stored: ${stored.outcome}`);
    fences.set(at.account, stored.sequence);
    bytes += page.slice(0, -1).reduce((sum, { data }) => sum + JSON.stringify(data).length, 0);
  }
  return bytes;
}

function note(line: string): void {
  if (!values.json) console.log(line);
}
