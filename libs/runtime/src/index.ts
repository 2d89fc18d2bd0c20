/** The service kit: what every service needs to start, speak and stop well. */
export * from './auth/index.ts';
export * from './base.ts';
export { fetchWithin, readText } from './bounded-body.ts';
export * from './health.ts';
export * from './http.ts';
export * from './http-error.ts';
export * from './http-part.ts';
export * from './reach.ts';
export * from './request-origin.ts';
export * from './run-service.ts';
export * from './service-env.ts';
export { traceHeadersOf } from './telemetry/http-spans.ts';
export { METRICS, type MetricDefinition, type MetricName } from './telemetry/metric-catalog.ts';
export {
  type Counter,
  createMetrics,
  type Histogram,
  type Metrics,
  prometheusName,
  type Sample,
} from './telemetry/metrics.ts';
export { startTelemetry } from './telemetry/telemetry.ts';
export * from './validation.ts';
