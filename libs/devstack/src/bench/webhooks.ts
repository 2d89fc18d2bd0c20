/**
 * `npm run bench -- webhooks`: from a notification's due time until the gateway has answered that it is in the log, at a fixed rate; then, with the
 * whole product, from a message's arrival at Microsoft to its change event.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connectBus } from '@mailstream/bus';
import { type PushTargets, subjects } from '@mailstream/contracts';
import { ensureTokenKey } from '../dev-token.ts';
import { startNats } from '../nats-server.ts';
import { freePort } from '../ports.ts';
import { createRandom } from '../random.ts';
import { startService } from '../stack.ts';
import { quantile, rounded, show } from './support/figures.ts';
import { cpuSeconds, peakRssMb } from './support/processes.ts';
import { measurePushToChange } from './support/push-to-change.ts';

const DUPLICATES = 0.05;
/** The first seconds find everything cold, and are not counted. */
const WARM_UP_SECONDS = 3;
const SECRET = 'bench';

const { values } = parseArgs({
  options: {
    /** Notifications per second, each a request of its own. */
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
    accounts: { type: 'string', default: '1000' },
    /** Messages that arrive one by one in the second part. */
    arrivals: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
});
const rate = Number(values.rate);
const accounts = Number(values.accounts);

const dir = mkdtempSync(join(tmpdir(), 'mailstream-bench-'));
const stops: (() => Promise<void>)[] = [async () => rmSync(dir, { recursive: true, force: true })];
try {
  const nats = await startNats({ dir: join(dir, 'nats') });
  stops.push(() => nats.stop());
  const bus = await connectBus({ url: nats.url, name: 'bench' });
  stops.push(() => bus.close());
  await bus.ensureTopology();
  const secretHash = createHash('sha256').update(SECRET).digest('hex');
  for (let n = 0; n < accounts; n += 1) {
    const data: PushTargets = { targets: [{ tenant: 'default', account: `account-${n}`, secretHash }] };
    await bus.publish({ subject: subjects.push('microsoft', `subscription-${n}`), data });
  }
  const gateway = await startService({
    name: 'ingest-gateway',
    dir,
    port: await freePort(),
    env: { NATS_URL: nats.url, MAILSTREAM_JWT_KEY_FILE: ensureTokenKey(dir), LOG_LEVEL: 'warn' },
  });
  stops.push(() => gateway.stop());

  await load(gateway.url, WARM_UP_SECONDS);
  const processes = { gateway: gateway.child().pid, nats: nats.child.pid };
  const before = { gateway: cpuSeconds(processes.gateway), nats: cpuSeconds(processes.nats) };
  const { took, refused, sentLate } = await load(gateway.url, Number(values.seconds));
  const micros = (name: 'gateway' | 'nats') =>
    rounded(((cpuSeconds(processes[name]) - before[name]) / took.length) * 1e6);
  const figures = { gateway_cpu_us: micros('gateway'), nats_cpu_us: micros('nats') };
  const toChange = await measurePushToChange(Number(values.arrivals), DUPLICATES);
  show(
    {
      accept_p50_ms: rounded(quantile(took, 0.5), 1),
      accept_p99_ms: rounded(quantile(took, 0.99), 1),
      accept_max_ms: rounded(Math.max(...took), 1),
      push_to_change_p50_ms: rounded(quantile(toChange, 0.5)),
      push_to_change_p99_ms: rounded(quantile(toChange, 0.99)),
      accepted: took.length,
      refused,
      rate,
      duplicates: DUPLICATES,
      sent_late_p99_ms: rounded(quantile(sentLate, 0.99), 1),
      ...figures,
      gateway_rss_peak_mb: peakRssMb(processes.gateway),
    },
    values.json,
  );
} finally {
  for (const stop of stops.toReversed()) await stop();
}

interface Load {
  /** From when a request was due until its 202, milliseconds: what waits in the sender counts, too. */
  readonly took: number[];
  readonly refused: number;
  /** How much later than due requests were sent: the sender's own share. */
  readonly sentLate: number[];
}

/** Sends at the rate whether or not answers come. */
async function load(url: string, seconds: number): Promise<Load> {
  const random = createRandom(7);
  const agent = new Agent({ keepAlive: true, maxSockets: 128 });
  const took: number[] = [];
  const sentLate: number[] = [];
  const pending: Promise<void>[] = [];
  let refused = 0;
  let body = '';
  const started = performance.now();
  for (let n = 0; n < rate * seconds; ) {
    const now = performance.now();
    for (let due = started + (n * 1_000) / rate; due <= now && n < rate * seconds; n += 1) {
      if (n === 0 || random.integer(1_000) >= DUPLICATES * 1_000)
        body = notification(n, random.integer(accounts));
      sentLate.push(now - due);
      const at = due;
      pending.push(
        post(`${url}/v1/webhooks/microsoft`, body, agent).then((status) => {
          if (status === 202) took.push(performance.now() - at);
          else refused += 1;
        }),
      );
      due = started + ((n + 1) * 1_000) / rate;
    }
    await sleep(1);
  }
  await Promise.all(pending);
  agent.destroy();
  return { took, refused, sentLate };
}

/** As long as one of Graph's. */
function notification(n: number, account: number): string {
  const id = `AAMkAGI2TG93AAA${String(n).padStart(120, '0')}`;
  const resource = `Users/5e5f2f0a-6c3b-4c0e-9f5b-0a1b2c3d4e5f/Messages/${id}`;
  return JSON.stringify({
    value: [
      {
        subscriptionId: `subscription-${account}`,
        subscriptionExpirationDateTime: '2030-01-01T00:00:00.0000000+00:00',
        changeType: 'created',
        resource,
        resourceData: { '@odata.type': '#Microsoft.Graph.Message', '@odata.id': resource, id },
        clientState: SECRET,
        tenantId: '84bd8158-6d4d-4958-8b9f-9d6445542f95',
      },
    ],
  });
}

function post(url: string, body: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outgoing = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
