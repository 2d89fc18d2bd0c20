/** The telemetry of a process, from its start to its end. */
import { DiagLogLevel, diag } from '@opentelemetry/api';
import {
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import { type IMetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { type Environment, readEnv } from '../env.ts';
import type { Logger } from '../log.ts';
import { readTelemetryConfig, type TelemetryConfig } from './config.ts';
import { createMetrics, type Metrics, temporalityOf } from './metrics.ts';
import { observeProcess } from './process-metrics.ts';

export interface Telemetry {
  readonly metrics: Metrics;
  /** Sends what is left, for three seconds at most. */
  stop(): Promise<void>;
}

/** A collector that does not answer must not hold up the end of a process, milliseconds. */
const STOP_MS = 3_000;
/** How often it is said that telemetry does not arrive, milliseconds. */
const SAY_AGAIN_MS = 60_000;

/** `service` is its name unless `OTEL_SERVICE_NAME` says another. Throws `config.invalid`. */
export async function startTelemetry(
  service: string,
  logger: Logger,
  source?: Environment,
): Promise<Telemetry> {
  const env = readEnv(source);
  const config = readTelemetryConfig(env);
  env.check();
  listen(logger);
  const named = resourceFromAttributes({ 'service.name': service, 'service.namespace': 'mailstream' });
  // Neither processes nor hosts: command lines hold what nobody is to read elsewhere.
  const resource = named.merge(detectResources({ detectors: [serviceInstanceIdDetector, envDetector] }));
  const metrics = createMetrics({
    resource,
    readers: config.metrics ? [await metricsReader(config.metrics)] : [],
    onProblem: (metric, problem) => logger.debug({ metric, problem }, 'a metric could not be read'),
  });
  const stopObserving = observeProcess(metrics);
  const stops = [metrics.stop];
  if (config.traces) {
    const { startTracing } = await import('./tracing.ts');
    stops.push(startTracing(resource, config.traces));
  }
  return {
    metrics,
    async stop() {
      stopObserving();
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, STOP_MS);
      const sent = Promise.all(stops.map((stop) => stop())).catch((error: unknown) =>
        logger.warn({ err: error }, 'the last telemetry was not sent'),
      );
      await Promise.race([sent, late.promise]);
      clearTimeout(timer);
    },
  };
}

/** Those who are not sent metrics do without what sends them. */
async function metricsReader({
  url,
  intervalMs,
}: NonNullable<TelemetryConfig['metrics']>): Promise<IMetricReader> {
  const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-proto');
  class Exporter extends OTLPMetricExporter {
    override selectAggregationTemporality = temporalityOf;
  }
  return new PeriodicExportingMetricReader({
    exporter: new Exporter({ url }),
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: Math.min(intervalMs, 30_000),
  });
}

/** The library would say it with every attempt. */
function listen(logger: Logger): void {
  let saidAt = Number.NEGATIVE_INFINITY;
  const say = (message: string) => {
    const now = performance.now();
    if (now - saidAt < SAY_AGAIN_MS) return;
    saidAt = now;
    logger.warn({ problem: message.slice(0, 300) }, 'telemetry could not be sent');
  };
  const silent = () => undefined;
  diag.setLogger({ error: say, warn: say, info: silent, debug: silent, verbose: silent }, DiagLogLevel.WARN);
}
