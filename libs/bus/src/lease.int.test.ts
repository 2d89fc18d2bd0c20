/** Leases against the real server: one holder at a time, and another when it stops, dies or is cut off. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { subjects } from '@mailstream/contracts';
import { createNats, type TestNats } from '@mailstream/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bus, connectBus, type Lease } from './index.ts';
import { account, json, silent, silentProxy, until } from './testkit.ts';

const HOLD_MS = 1_500;
const WATCHES = { durable: 'watchers', filter: 'watch.imap.*', capacity: 100, holdMs: HOLD_MS } as const;

let nats: TestNats;
let bus: Bus;
let other: Bus;

beforeAll(async () => {
  nats = await createNats();
  bus = await connectBus({ url: nats.url, name: 'lease', logger: silent });
  other = await connectBus({ url: nats.url, name: 'lease-other', logger: silent });
  await bus.ensureTopology();
});

beforeEach(async () => {
  await bus.purge('WATCH', '>');
});

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

afterAll(async () => {
  await Promise.all([bus?.close(), other?.close()]);
  await nats?.drop();
});

/** Holds leases in the background until the test ends; `held` are those it holds now, `begun` all it was given. */
function holding(holder: Bus, options: Partial<Parameters<Bus['holdLeases']>[0]> = {}) {
  const stop = new AbortController();
  const held = new Map<string, Lease>();
  const begun: string[] = [];
  const ended = holder.holdLeases(
    { ...WATCHES, ...options },
    async (lease) => {
      begun.push(lease.subject);
      held.set(lease.subject, lease);
      await aborted(lease.signal);
      held.delete(lease.subject);
    },
    stop.signal,
  );
  const end = async () => {
    stop.abort();
    await ended;
  };
  stops.push(end);
  return { held, begun, stop: end };
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

const watch = () => subjects.watch('imap', account().account);
const offer = (subject: string, data: unknown = {}) => bus.offer('WATCH', subject, data);

describe('a lease', () => {
  it('is on offer once, however often it is offered, and has one holder', async () => {
    const subject = watch();
    await offer(subject, { first: true });
    await offer(subject, { first: false });
    const [one, two] = [holding(bus), holding(other)];
    await until(() => one.held.size + two.held.size === 1);
    await offer(subject);
    const lease = one.held.get(subject) ?? two.held.get(subject);
    expect(json(lease!.data)).toEqual({ first: true });
    // Through two hold times and more, its renewal keeps it from the other.
    const since = performance.now();
    await until(() => performance.now() - since > 2.5 * HOLD_MS);
    expect(one.begun.length + two.begun.length).toBe(1);
    expect(lease!.signal.aborted).toBe(false);
  });

  it('goes to whoever has room', async () => {
    const all = [watch(), watch(), watch(), watch(), watch()];
    const small = holding(bus, { capacity: 2 });
    const large = holding(other, { capacity: 3 });
    for (const subject of all) await offer(subject);
    await until(() => small.held.size === 2 && large.held.size === 3);
    expect([...small.held.keys(), ...large.held.keys()].sort()).toEqual(all.sort());
  });

  it('is with another at once when its holder stops', async () => {
    const subject = watch();
    await offer(subject);
    const first = holding(bus, { holdMs: 30_000 });
    await until(() => first.held.has(subject));
    const second = holding(other, { holdMs: 30_000 });
    await first.stop();
    await until(() => second.held.has(subject), 2_000);
  });

  it('is with another within the hold time when its holder is killed', async () => {
    const subject = watch();
    await offer(subject);
    const script = `
      const { connectBus } = await import(process.argv[1]);
      const quiet = () => {};
      const logger = { info: quiet, warn: quiet, error: quiet };
      const bus = await connectBus({ url: process.argv[2], name: 'victim', logger });
      await bus.holdLeases(${JSON.stringify(WATCHES)}, async (lease) => {
        console.log('holds ' + lease.subject);
        await new Promise(() => setInterval(quiet, 1_000));
      }, new AbortController().signal);`;
    const index = join(import.meta.dirname, 'index.ts');
    const victim = spawn(process.execPath, ['--input-type=module', '--eval', script, index, nats.url]);
    let output = '';
    victim.stdout.on('data', (chunk) => (output += chunk));
    await until(() => output.includes(`holds ${subject}`));
    const heir = holding(other);
    victim.kill('SIGKILL');
    const killed = performance.now();
    await until(() => heir.held.has(subject));
    expect(performance.now() - killed).toBeLessThan(2 * HOLD_MS);
  });

  it('ends for its holder when it is withdrawn, and nobody gets it', async () => {
    const subject = watch();
    await offer(subject);
    const holder = holding(bus);
    await until(() => holder.held.has(subject));
    const { signal } = holder.held.get(subject)!;
    await bus.withdraw('WATCH', subject);
    await until(() => signal.aborted, HOLD_MS);
    expect(holder.begun).toEqual([subject]);
    expect(await bus.last('WATCH', subject)).toBeNull();
  });

  it('that was withdrawn and offered again ends and begins anew, with its new content', async () => {
    const subject = watch();
    await offer(subject, { version: 1 });
    const holder = holding(bus);
    await until(() => holder.held.has(subject));
    const before = holder.held.get(subject)!;
    await bus.withdraw('WATCH', subject);
    await offer(subject, { version: 2 });
    await until(() => before.signal.aborted && holder.begun.length === 2);
    expect(json(holder.held.get(subject)!.data)).toEqual({ version: 2 });
  });

  it('comes back after a pause when what it protects ends by itself or fails', async () => {
    const subject = watch();
    await offer(subject);
    let begun = 0;
    const stop = new AbortController();
    const ended = bus.holdLeases(
      WATCHES,
      async (lease) => {
        begun += 1;
        if (begun === 1) return;
        if (begun === 2) throw new Error('no luck');
        await aborted(lease.signal);
      },
      stop.signal,
    );
    await until(() => begun === 3);
    stop.abort();
    await ended;
  });
});

describe('a holder', () => {
  it('that is cut off from the server lets go within the hold time', async () => {
    const subject = watch();
    await offer(subject);
    const proxy = await silentProxy(nats.url);
    const behind = await connectBus({ url: proxy.url, name: 'cut off', logger: silent });
    const cutOff = holding(behind);
    await until(() => cutOff.held.has(subject));
    const { signal } = cutOff.held.get(subject)!;
    const heir = holding(other);
    proxy.mute();
    await until(() => signal.aborted, HOLD_MS * 1.5);
    await until(() => heir.held.has(subject));
    proxy.close();
    await behind.close();
  });

  it.each([1, 100])(
    'whose lease the server gives out again lets go first (room for %d)',
    async (capacity) => {
      const subject = watch();
      await offer(subject);
      const first = holding(bus, { capacity });
      await until(() => first.held.has(subject));
      const { signal } = first.held.get(subject)!;
      const heirs = capacity === 1 ? holding(other) : first;
      await forgetHolder(subject);
      await until(() => signal.aborted && heirs.held.has(subject));
      expect(heirs.held.get(subject)!.signal.aborted).toBe(false);
      expect(first.held.size + (heirs === first ? 0 : heirs.held.size)).toBe(1);
    },
  );

  it('keeps its lease while the server restarts, and there is one holder afterwards though the server may forget', {
    timeout: 60_000,
  }, async () => {
    const all = [watch(), watch(), watch()];
    const holders = [holding(bus, { holdMs: 30_000 }), holding(other, { holdMs: 30_000 })];
    for (const subject of all) await offer(subject);
    const heldBy = (subject: string) => holders.filter(({ held }) => held.has(subject)).length;
    await until(() => all.every((subject) => heldBy(subject) === 1));
    await nats.kill();
    await nats.restart();
    await until(() => bus.connected() && other.connected());
    // A lease offered now shows that both pull again; what the server has forgotten was given out before it.
    const later = watch();
    await until(async () =>
      offer(later).then(
        () => true,
        () => false,
      ),
    );
    await until(() => heldBy(later) === 1);
    await until(() => all.every((subject) => heldBy(subject) === 1));
  });
});

/** Makes the server take a held lease for one that was given back. */
async function forgetHolder(subject: string): Promise<void> {
  const operator = await connect({ servers: nats.url });
  const { delivered } = await (await jetstreamManager(operator)).consumers.info('WATCH', WATCHES.durable);
  const { sequence } = (await bus.last('WATCH', subject))!;
  operator.publish(`$JS.ACK.WATCH.${WATCHES.durable}.1.${sequence}.${delivered.consumer_seq}.0.0`, '-NAK');
  await operator.drain();
}
