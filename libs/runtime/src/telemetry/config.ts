/** What of telemetry the environment asks for: OpenTelemetry's own variables, of which the exporters read those for headers, certificates and time limits themselves. */
import type { EnvReader } from '../env.ts';

export interface TracesConfig {
  readonly url: string;
  readonly sampler: {
    readonly root: 'always_on' | 'always_off' | 'traceidratio';
    readonly ratio: number;
    readonly parentBased: boolean;
  };
  /** How long spans wait for others to be sent with, milliseconds. */
  readonly delayMs: number;
  /** Spans that wait at most; more are dropped. */
  readonly queue: number;
}

export interface TelemetryConfig {
  /** Null: no traces are sent. */
  readonly traces: TracesConfig | null;
  /** Null: no metrics are sent; they can be asked for in any case. */
  readonly metrics: { readonly url: string; readonly intervalMs: number } | null;
}

const SAMPLERS = [
  ...['always_on', 'always_off', 'traceidratio'],
  ...['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'],
];
const PARENT_BASED = /^parentbased_/;

/** Something is sent when it is known where to. */
export function readTelemetryConfig(env: EnvReader): TelemetryConfig {
  const disabled = env.choice('OTEL_SDK_DISABLED', 'false', ['true', 'false']) === 'true';
  /** Where to, null: nowhere. */
  const urlOf = (signal: 'TRACES' | 'METRICS') => {
    const exporter = env.choice(`OTEL_${signal}_EXPORTER`, 'otlp', ['otlp', 'none']);
    const own = env.optional(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`);
    const shared = env.optional('OTEL_EXPORTER_OTLP_ENDPOINT')?.replace(/\/+$/, '') ?? null;
    const url = own ?? (shared === null ? null : `${shared}/v1/${signal.toLowerCase()}`);
    if (url === null || disabled || exporter === 'none') return null;
    for (const name of ['OTEL_EXPORTER_OTLP_PROTOCOL', `OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`])
      env.choice(name, 'http/protobuf', ['http/protobuf']);
    return url;
  };
  const [traces, metrics] = [urlOf('TRACES'), urlOf('METRICS')];
  return {
    traces: traces === null ? null : { url: traces, ...readTraces(env) },
    metrics:
      metrics === null
        ? null
        : {
            url: metrics,
            intervalMs: env.integer('OTEL_METRIC_EXPORT_INTERVAL', 60_000, { min: 1_000, max: 3_600_000 }),
          },
  };
}

function readTraces(env: EnvReader): Omit<TracesConfig, 'url'> {
  const sampler = env.choice('OTEL_TRACES_SAMPLER', 'parentbased_always_on', SAMPLERS);
  const own = sampler.replace(PARENT_BASED, '');
  const ratio = Number(env.string('OTEL_TRACES_SAMPLER_ARG', '1'));
  if (!(ratio >= 0 && ratio <= 1)) env.problem('OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1');
  return {
    sampler: {
      root: own === 'always_off' || own === 'traceidratio' ? own : 'always_on',
      ratio,
      parentBased: PARENT_BASED.test(sampler),
    },
    delayMs: env.integer('OTEL_BSP_SCHEDULE_DELAY', 5_000, { min: 10, max: 600_000 }),
    queue: env.integer('OTEL_BSP_MAX_QUEUE_SIZE', 2_048, { min: 512, max: 1_000_000 }),
  };
}
