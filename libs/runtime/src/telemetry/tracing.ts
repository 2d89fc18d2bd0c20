/** Starts OpenTelemetry's tracing for a process, by OpenTelemetry's own environment variables; without them nothing is traced. */
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { Resource } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { TracesConfig } from './config.ts';

/** Traces until the returned function is called, which sends what is left. */
export function startTracing(
  resource: Resource,
  { url, sampler, delayMs, queue }: TracesConfig,
): () => Promise<void> {
  const provider = new TracerProvider({
    resource,
    sampler: samplerOf(sampler),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url }),
        scheduledDelayMillis: delayMs,
        maxQueueSize: queue,
      }),
    ],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  return () => provider.shutdown();
}

function samplerOf({ root, ratio, parentBased }: TracesConfig['sampler']): Sampler {
  const own = ROOTS[root](ratio);
  return parentBased ? new ParentBasedSampler({ root: own }) : own;
}

const ROOTS = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio: number) => new TraceIdRatioBasedSampler(ratio),
} as const;
