/** Connects to NATS and puts the bus together. */
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { createLogger, type Logger, messageOf } from '@mailstream/runtime/base';
import { type ConnectionOptions, type NatsConnection, nkeyAuthenticator, nkeys } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { createBatchPublisher } from './batch.ts';
import { park } from './dead-letter.ts';
import { BusError } from './errors.ts';
import { inboxOf } from './inbox.ts';
import { holdLeases } from './lease.ts';
import { lendReaders, tenantChanges } from './lent-readers.ts';
import { createLink } from './link.ts';
import { at, last, purge, queue, remove, removeAcknowledged, state } from './lookup.ts';
import type { Bus, Outgoing } from './port.ts';
import { publish } from './publish.ts';
import { countFrom, readStream } from './read.ts';
import { request, respond } from './request.ts';
import { cancelSchedule, schedule } from './schedule.ts';
import { checkServer, ensureTopology, waitForTopology } from './topology.ts';
import { sending } from './trace.ts';
import { work } from './work.ts';

export interface BusOptions {
  /** `nats://user:password@host:port` or `nats://<NKey seed>@host:port`, or several of them with commas in between (the first one's user counts for all). */
  readonly url: string;
  /** The seed of an NKey that the server knows (`SU…`); absent: who is in the URL, or nobody. */
  readonly nkeySeed?: string | undefined;
  /** PEM file of the authorities to trust for `tls://`, in place of those of Node. */
  readonly caFile?: string | undefined;
  /** Shown by the server's monitoring. */
  readonly name: string;
  /** Silent when left out. */
  readonly logger?: Logger;
}

/**
 * Connects once, then reconnects for ever. Throws `bus.unreachable` when no server answers and `bus.unsuitable_server` when it is too
 * old or has JetStream off.
 */
export async function connectBus(options: BusOptions): Promise<Bus> {
  const { logger = createLogger(options.name, 'silent') } = options;
  const user = userOf(options);
  const nc = await open(options, user);
  try {
    checkServer({ version: nc.info?.version ?? '0', jetstream: nc.info?.jetstream ?? false });
  } catch (error) {
    await nc.close();
    throw error;
  }
  void logStatus(nc, logger);
  const link = createLink(nc, user.inboxPrefix);
  const publishBatch = createBatchPublisher(link);
  const publishOne = (message: Outgoing) => sending([message], ([traced = message]) => publish(link, traced));

  return {
    ensureTopology: (options = {}) => ensureTopology(link, options),
    waitForTopology: () => waitForTopology(link),
    publish: publishOne,
    publishBatch: (messages, fence) => sending(messages, (traced) => publishBatch(traced, fence)),
    last: (stream, subject) => last(link, stream, subject),
    at: (stream, sequence) => at(link, stream, sequence),
    state: (stream) => state(link, stream),
    queue: (stream, durable) => queue(link, stream, durable),
    count: (stream, filter, from) => countFrom(link, stream, filter, from),
    read: (stream, filter, from, signal) => readStream(link, stream, filter, from, signal),
    work: (options, handler, signal) => work(link, logger, options, handler, signal),
    async offer(stream, subject, data) {
      try {
        await publishOne({ subject, data, headers: { 'Nats-Expected-Stream': stream } });
      } catch (error) {
        if (!(error instanceof BusError) || error.code !== 'bus.subject_taken') throw error;
      }
    },
    async withdraw(stream, subject) {
      await purge(link, stream, subject);
    },
    holdLeases: (options, hold, signal) => holdLeases(link, logger, options, hold, signal),
    schedule: (account, kind, when, target) => schedule(link, account, kind, when, target),
    cancelSchedule: (account, kind) => cancelSchedule(link, account, kind),
    purge: (stream, subject) => purge(link, stream, subject),
    removeAcknowledged: (stream) => removeAcknowledged(link, stream),
    remove: (stream, sequence) => remove(link, stream, sequence),
    park: (message, reason, detail) => park(link, message, reason, detail),
    changesOf: (tenant) => tenantChanges(link, tenant),
    lendReaders: (signal) => lendReaders(link, logger, signal),
    request: (subject, data, timeoutMs) => request(link, subject, data, timeoutMs),
    respond: (subject, group, answer, signal) => respond(link, logger, subject, group, answer, signal),
    connected: () => link.up(),
    async close() {
      // What cannot be drained because the connection breaks meanwhile is made good by the server; only an open socket is not.
      if (link.up()) await nc.drain().catch(() => undefined);
      await nc.close();
    },
  };
}

type User = Pick<ConnectionOptions, 'authenticator' | 'inboxPrefix' | 'user' | 'pass'>;

async function open({ url, name, caFile }: BusOptions, user: User): Promise<NatsConnection> {
  const servers = url.split(',').map((server) => server.trim());
  try {
    return await connect({
      servers: servers.map(withoutUser),
      name,
      ...user,
      ...(servers.some((server) => server.startsWith('tls:')) && { tls: tlsOptions(servers, caFile) }),
      maxReconnectAttempts: -1,
      // An account that is being changed on the server must not end us.
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: 500,
      // A connection that died without a word is noticed after two of these, milliseconds.
      pingInterval: 5_000,
      noAsyncTraces: true,
    });
  } catch (cause) {
    const where = servers.map(withoutUser).join(', ');
    throw new BusError('bus.unreachable', `cannot connect to NATS at ${where}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

const SEED = /^SU[A-Z2-7]{56}$/;

function userOf({ url, nkeySeed }: BusOptions): User {
  const { username = '', password = '' } = URL.parse(url.split(',')[0]?.trim() ?? '') ?? {};
  const seed = nkeySeed ?? (SEED.test(username) ? username : undefined);
  if (seed !== undefined) return signIn(seed);
  return username === '' ? {} : { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
}

/** Answers come to subjects that begin with the public key: the server lets nobody else listen there. */
function signIn(nkeySeed: string): User {
  const seed = new TextEncoder().encode(nkeySeed.trim());
  return {
    authenticator: nkeyAuthenticator(seed),
    inboxPrefix: inboxOf(nkeys.fromSeed(seed).getPublicKey()),
  };
}

/**
 * With these the client refuses a server that has no TLS. The certificate must be of one of the hosts we were told: left to itself, the client compares with
 * `localhost` where the host is an address.
 */
function tlsOptions(servers: readonly string[], caFile: string | undefined) {
  const hosts = servers.map((server) => new URL(server).hostname.replace(/^\[|\]$/g, ''));
  return {
    ...(caFile !== undefined && { caFile }),
    checkServerIdentity(_: string, cert: PeerCertificate): Error | undefined {
      const problems = hosts.map((host) => checkServerIdentity(host, cert));
      return problems.includes(undefined) ? undefined : problems[0];
    },
  };
}

/** The client takes no user in a URL, and messages must not show one. */
function withoutUser(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}

async function logStatus(nc: NatsConnection, logger: Logger): Promise<void> {
  for await (const status of nc.status()) {
    if (status.type === 'disconnect') logger.warn({ server: status.server }, 'disconnected from NATS');
    else if (status.type === 'reconnect') logger.info({ server: status.server }, 'connected to NATS again');
    else if (status.type === 'error') logger.warn({ err: status.error }, 'NATS reports an error');
  }
}
