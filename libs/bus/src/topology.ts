/** Makes the server's streams what `STREAMS` says, and refuses to go on with a server that does not keep every setting. */
import { STREAMS, type StreamSpec } from '@mailstream/contracts';
import { pause } from '@mailstream/runtime/base';
import {
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos, type ServerInfo } from '@nats-io/nats-core';
import { BusError, SERVER_CODES } from './errors.ts';
import type { Link } from './link.ts';
import type { TopologyOptions } from './port.ts';

/** The first with repeating schedules that survive in a work queue, and with a limit on batches that says so. */
const MIN_VERSION = [2, 14] as const;

/** The server's default. */
const DUPLICATE_WINDOW_MS = 120_000;

export async function ensureTopology(link: Link, options: TopologyOptions): Promise<void> {
  for (const spec of Object.values(STREAMS)) {
    const wanted = streamConfig(spec, options);
    const kept = await ensureStream(link, wanted);
    const ignored = ignoredSettings(wanted, kept);
    if (ignored.length > 0)
      throw new BusError(
        'bus.setting_ignored',
        `the NATS server stored stream ${wanted.name} otherwise than asked: ${ignored.join('; ')}`,
      );
  }
}

const WAIT_MS = 60_000;
const LOOK_MS = 100;

export async function waitForTopology(link: Link): Promise<void> {
  const patience = AbortSignal.timeout(WAIT_MS);
  for (const name of Object.keys(STREAMS)) {
    while (!(await isThere(link, name, patience.aborted))) await pause(LOOK_MS, patience);
  }
}

/** Throws when it is not there `atLast`. */
async function isThere(link: Link, stream: string, atLast: boolean): Promise<boolean> {
  try {
    await link.api(`STREAM.INFO.${stream}`);
    return true;
  } catch (error) {
    const mayCome =
      error instanceof BusError && (error.code === 'bus.no_stream' || error.errorClass === 'network');
    if (atLast || !mayCome) throw error;
    return false;
  }
}

/** Throws `bus.unsuitable_server` for a server that cannot do what we rely on. */
export function checkServer({ version, jetstream }: Pick<ServerInfo, 'version' | 'jetstream'>): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [minMajor, minMinor] = MIN_VERSION;
  if (!(major > minMajor || (major === minMajor && minor >= minMinor)))
    throw new BusError(
      'bus.unsuitable_server',
      `nats-server ${version} is too old: ${MIN_VERSION.join('.')} or later is needed`,
    );
  if (!jetstream)
    throw new BusError('bus.unsuitable_server', 'JetStream is off in this nats-server: start it with -js');
}

export type WantedStream = Pick<StreamConfig, 'name' | 'subjects' | 'retention'> & Partial<StreamConfig>;

export function streamConfig(spec: StreamSpec, options: TopologyOptions): WantedStream {
  const maxAgeMs =
    { MAIL: options.mailMaxAgeMs, CHANGES: options.changesMaxAgeMs }[spec.name] ?? spec.maxAgeMs;
  const refuse = spec.onePerSubject === 'refuse';
  return {
    name: spec.name,
    description: spec.description,
    subjects: [...spec.subjects],
    retention: spec.retention === 'workqueue' ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: options.replicas ?? 1,
    max_age: nanos(maxAgeMs ?? 0),
    // Nothing of ours relies on it, but the server refuses one that is longer than the age.
    duplicate_window: nanos(Math.min(DUPLICATE_WINDOW_MS, maxAgeMs ?? DUPLICATE_WINDOW_MS)),
    max_msgs_per_subject: spec.onePerSubject ? 1 : -1,
    discard: refuse ? DiscardPolicy.New : DiscardPolicy.Old,
    discard_new_per_subject: refuse,
    allow_direct: true,
    allow_atomic: spec.atomic ?? false,
    allow_msg_schedules: spec.schedules ?? false,
  };
}

/** Several processes may do this at once: who loses a race finds the stream there and makes it the same. */
async function ensureStream(link: Link, wanted: WantedStream): Promise<Partial<StreamConfig>> {
  try {
    return (await link.api<StreamInfo>(`STREAM.CREATE.${wanted.name}`, wanted)).config;
  } catch (error) {
    if (!(error instanceof BusError) || error.serverCode !== SERVER_CODES.streamNameInUse) throw error;
  }
  const { config } = await link.api<StreamInfo>(`STREAM.INFO.${wanted.name}`);
  return (await link.api<StreamInfo>(`STREAM.UPDATE.${wanted.name}`, { ...config, ...wanted })).config;
}

/** What the server kept otherwise than asked, one phrase each. A server drops flags it does not know without a word. */
export function ignoredSettings(wanted: WantedStream, kept: Partial<StreamConfig>): string[] {
  const keptByName = new Map<string, unknown>(Object.entries(kept));
  return Object.entries(wanted).flatMap(([name, asked]) => {
    const stored = keptByName.get(name);
    // What is off is left out of the answer.
    const same = asked === false ? !stored : JSON.stringify(stored) === JSON.stringify(asked);
    return same ? [] : [`${name} is ${JSON.stringify(stored)}, not ${JSON.stringify(asked)}`];
  });
}
