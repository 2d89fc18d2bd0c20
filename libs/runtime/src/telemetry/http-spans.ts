/** A span for each call of an HTTP server, by the conventions for it, as a part of its caller's trace; and how long calls took. */
import { finished } from 'node:stream';
import type { Span } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.ts';
import { fail, startSpan, TRACEPARENT, traceParentOf, within } from './spans.ts';

const spans = new WeakMap<object, Span>();

/** To be registered before any other hook: what refuses a call is part of it. */
export function registerSpans(app: FastifyInstance, metrics?: Metrics): void {
  const durations = metrics?.histogram('http.server.request.duration');
  app.addHook('onRequest', (request, reply, done) => {
    const { config, url: route = 'unknown' } = request.routeOptions;
    const told = request.headers[TRACEPARENT];
    // Who need not say who they are do not say either what is traced.
    const parent = config.open || typeof told !== 'string' ? null : told;
    const attributes = {
      'http.request.method': request.method,
      'http.route': route,
      'url.scheme': request.protocol,
    };
    const span = startSpan(`${request.method} ${route}`, { kind: 'server', attributes, parent });
    const began = performance.now();
    finished(reply.raw, (error) => {
      const labels = { 'http.request.method': request.method, 'http.route': route };
      const status = { 'http.response.status_code': String(reply.statusCode) };
      durations?.record({ ...labels, ...status }, (performance.now() - began) / 1_000);
      span.setAttribute('http.response.status_code', reply.statusCode);
      if (error || reply.statusCode >= 500) fail(span, error ?? new Error(`${reply.statusCode}`));
      span.end();
    });
    if (traceParentOf(span) === undefined) return done();
    spans.set(request, span);
    within(span, done);
  });
  // A body is read in the context of its socket, which knows nothing of the call.
  app.addHook('preValidation', (request, _reply, done) => {
    const span = spans.get(request);
    if (span) within(span, done);
    else done();
  });
}

/** What to send along where a call is passed on. */
export function traceHeadersOf(request: object): Readonly<Record<string, string>> {
  const own = traceParentOf(spans.get(request));
  return own === undefined ? {} : { [TRACEPARENT]: own };
}
