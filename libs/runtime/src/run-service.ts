/** The life of a process: start in order, run until told to stop or until a part fails, stop in reverse. */
import closeWithGrace from 'close-with-grace';
import { type Admin, type AdminConfig, listenForAdmin, readAdminConfig } from './admin.ts';
import { readEnv } from './env.ts';
import { createHealth, type Health } from './health.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { startTelemetry, type Telemetry } from './telemetry/telemetry.ts';

/** A part that runs until its signal aborts. A part that ends before, or throws, ends the whole process. */
export interface Part {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

export interface Service {
  /** All run at once. */
  readonly parts: readonly Part[];
  /** Stops what was opened, in the order given, after every part has ended. */
  readonly close: readonly (() => Promise<void>)[];
}

/** What a service is given to live with. */
export interface ServiceKit {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
}

/** How long a stop may take, milliseconds; then the process ends anyway. Below Kubernetes' default grace period of 30 s. */
const STOP_MS = 25_000;

/**
 * Starts a service and returns when it has stopped. SIGTERM and SIGINT stop it cleanly; a failing part stops it with exit code 1.
 * `start` opens resources and wires parts; if it throws, the process ends with its message.
 */
export async function runService(
  logger: Logger,
  start: (kit: ServiceKit) => Promise<Service>,
): Promise<void> {
  const stop = new AbortController();
  const health = createHealth();
  let isStarted = false;
  health.need('start', () => isStarted && !stop.signal.aborted);
  let service: Service;
  let telemetry: Telemetry;
  let admin: Admin | undefined;
  // Process 1 of a container gets no signal that it has no handler for.
  const giveUp = () => process.exit(0);
  process.once('SIGTERM', giveUp).once('SIGINT', giveUp);
  try {
    telemetry = await startTelemetry(String(logger.bindings().service), logger);
    const { metrics } = telemetry;
    metrics.observe('mailstream.loops.stuck', () => [[{}, health.stuck().length]]);
    const adminConfig = readAdmin();
    if (adminConfig) admin = await listenForAdmin(adminConfig, { health, metrics });
    service = await start({ logger, metrics, health });
    isStarted = true;
  } catch (error) {
    logger.fatal({ err: error }, 'could not start');
    process.exitCode = 1;
    logger.flush();
    process.exit(1);
  }

  const running = Promise.all(
    service.parts.map(async (part) => {
      await part.run(stop.signal);
      if (!stop.signal.aborted) throw new Error(`${part.name} ended by itself`);
    }),
  );
  process.off('SIGTERM', giveUp).off('SIGINT', giveUp);
  const grace = closeWithGrace({ delay: STOP_MS, logger }, async ({ err, signal }) => {
    if (err) logger.fatal({ err }, 'stopping after a failure');
    else logger.info({ signal }, 'stopping');
    stop.abort(new DOMException('the service is stopping', 'AbortError'));
    await running.catch(() => undefined);
    for (const close of service.close) {
      await close().catch((error: unknown) => logger.warn({ err: error }, 'a part did not close cleanly'));
    }
    await telemetry.stop();
    await admin?.close();
  });
  logger.info('started');
  await running.catch((error: unknown) => {
    if (stop.signal.aborted) return;
    logger.fatal({ err: error }, 'a part failed');
    process.exitCode = 1;
    grace.close();
  });
}

function readAdmin(): AdminConfig | null {
  const env = readEnv();
  const config = readAdminConfig(env);
  env.check();
  return config;
}
