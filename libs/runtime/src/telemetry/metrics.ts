/** Metrics of a process: noted once, told to Prometheus when it asks and by OTLP if that is set. */
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { emptyResource, type Resource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type IMetricReader,
  InstrumentType,
  MeterProvider,
  MetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { messageOf } from '../errors.ts';
import { type LabelsOf, METRICS, type MetricDefinition, type MetricName } from './metric-catalog.ts';

export interface Counter<N extends MetricName> {
  add(labels: LabelsOf<N>, amount?: number): void;
}

export interface Histogram<N extends MetricName> {
  record(labels: LabelsOf<N>, value: number): void;
}

export type Sample<N extends MetricName> = readonly [labels: LabelsOf<N>, value: number];

export interface Metrics {
  counter<N extends MetricName<'counter'>>(name: N): Counter<N>;
  histogram<N extends MetricName<'histogram'>>(name: N): Histogram<N>;
  /**
   * Values that are read when somebody asks; what cannot be read is left out then. Several may observe one metric, each with labels of its own.
   */
  observe<N extends MetricName<'gauge' | 'total'>>(
    name: N,
    read: () => Iterable<Sample<N>> | Promise<Iterable<Sample<N>>>,
  ): void;
  /** All of them, in Prometheus' text format 0.0.4. */
  text(): Promise<string>;
  stop(): Promise<void>;
}

export interface MetricsOptions {
  readonly resource?: Resource;
  /** Who is told beside Prometheus. */
  readonly readers?: readonly IMetricReader[];
  /** Told of what could not be read. */
  readonly onProblem?: (metric: string, problem: string) => void;
}

/** Seconds: from what a look costs to what a queue costs when it stands. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export function createMetrics({
  resource = emptyResource(),
  readers = [],
  onProblem = () => undefined,
}: MetricsOptions = {}): Metrics {
  const prometheus = new OnDemandReader();
  const provider = new MeterProvider({ resource, readers: [prometheus, ...readers] });
  const meter = provider.getMeter('mailstream');
  const about = ({ unit, help }: MetricDefinition) => ({ unit, description: help });
  return {
    counter(name) {
      const counter = meter.createCounter(name, about(METRICS[name]));
      return { add: (labels, amount = 1) => counter.add(amount, labels) };
    },
    histogram(name) {
      const advice = { explicitBucketBoundaries: SECONDS };
      const histogram = meter.createHistogram(name, { ...about(METRICS[name]), advice });
      return { record: (labels, value) => histogram.record(value, labels) };
    },
    observe(name, read) {
      const definition: MetricDefinition = METRICS[name];
      const observed =
        definition.kind === 'total'
          ? meter.createObservableCounter(name, about(definition))
          : meter.createObservableGauge(name, about(definition));
      observed.addCallback(async (result) => {
        try {
          for (const [labels, value] of await soon(read)) result.observe(value, labels);
        } catch (error) {
          onProblem(name, messageOf(error));
        }
      });
    },
    async text() {
      const { resourceMetrics } = await prometheus.collect();
      return `${new PrometheusSerializer(undefined, false, undefined, true, true).serialize(withUnits(resourceMetrics))}\n`;
    },
    stop: () => provider.shutdown(),
  };
}

/** Prometheus gives up after ten seconds, and then takes the whole process for dead. */
const READ_MS = 3_000;

async function soon<T>(read: () => T | Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not read within ${READ_MS} ms`)), READ_MS);
  return await Promise.race([read(), late.promise]).finally(() => clearTimeout(timer));
}

/** OpenTelemetry's library goes on telling each value that a cumulative gauge ever had, also of labels that are gone. */
export function temporalityOf(kind: InstrumentType): AggregationTemporality {
  return kind === InstrumentType.OBSERVABLE_GAUGE
    ? AggregationTemporality.DELTA
    : AggregationTemporality.CUMULATIVE;
}

/** Sends nothing by itself. */
class OnDemandReader extends MetricReader {
  constructor() {
    super({ aggregationTemporalitySelector: temporalityOf });
  }
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

const UNITS: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes', '1': '_ratio' };

/** As Prometheus knows a metric (OpenTelemetry's "Prometheus compatibility", metric metadata); the library puts only `_total` behind a name. */
function withUnits(all: ResourceMetrics): ResourceMetrics {
  const named = (name: string, unit: string) => `${name}${UNITS[unit] ?? ''}`;
  return {
    ...all,
    scopeMetrics: all.scopeMetrics.map((scope) => ({
      ...scope,
      metrics: scope.metrics.map((metric) => ({
        ...metric,
        descriptor: { ...metric.descriptor, name: named(metric.descriptor.name, metric.descriptor.unit) },
      })),
    })),
  };
}

/** The name of a metric in Prometheus. */
export function prometheusName(name: MetricName): string {
  const { unit, kind } = METRICS[name];
  const total = kind === 'counter' || kind === 'total' ? '_total' : '';
  return `${name.replaceAll('.', '_')}${UNITS[unit] ?? ''}${total}`;
}
