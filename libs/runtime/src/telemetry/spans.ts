/** Spans, and the trace context that goes from one service to the next: all that the rest of Mailstream knows of OpenTelemetry's traces. */
import {
  type Attributes,
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { AppError } from '../errors.ts';

/** W3C trace context, level 1: `00-<trace id>-<span id>-<flags>`. */
export type TraceParent = string;

/** Its name as a header of HTTP and NATS, and as a CloudEvents attribute. */
export const TRACEPARENT = 'traceparent';

export interface SpanOptions {
  readonly kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  /** By OpenTelemetry's conventions; never a secret, an address, or anything of what a message says. */
  readonly attributes?: Attributes;
  /** Whose work it is a part of. Absent: of the span that is active; `null`: of none. */
  readonly parent?: TraceParent | null | undefined;
  /** Other traces that it works for, too. */
  readonly links?: readonly TraceParent[];
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

/** More say no more, and each costs as much as an attribute. */
const MAX_LINKS = 32;

const tracer = trace.getTracer('mailstream');

/** Runs `work` with a span active; what it throws is noted by its code and thrown on. Where nothing is traced it costs about a microsecond. */
export async function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const span = startSpan(name, options);
  try {
    return await within(span, () => work(span));
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** The same where there is a trace to be part of already; otherwise no span is begun. */
export async function inChildSpan<T>(
  name: string,
  options: Omit<SpanOptions, 'parent'> & { readonly parent?: TraceParent | undefined },
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  if (options.parent === undefined && activeTrace() === undefined) return await work(undefined);
  return await inSpan(name, options, work);
}

/** A span that its caller ends. */
export function startSpan(name: string, { kind = 'internal', attributes, parent, links }: SpanOptions): Span {
  const linked = links?.slice(0, MAX_LINKS).flatMap((link) => parse(link) ?? []);
  return tracer.startSpan(
    name,
    {
      kind: KINDS[kind],
      ...(attributes && { attributes }),
      ...(linked?.length && { links: linked.map((one) => ({ context: one })) }),
    },
    parent === undefined ? context.active() : contextOf(parent),
  );
}

/** Runs `work` with this span active. */
export function within<T>(span: Span, work: () => T): T {
  return context.with(trace.setSpan(context.active(), span), work);
}

/** What to hand on of a span; undefined where nothing is traced. */
export function traceParentOf(span: Span | undefined): TraceParent | undefined {
  const at = span?.spanContext();
  // An invalid one has zeros only (W3C trace context, 3.2.2.3).
  if (!at || /^0+$/.test(at.traceId)) return undefined;
  return `00-${at.traceId}-${at.spanId}-${at.traceFlags.toString(16).padStart(2, '0')}`;
}

/** What to hand on of the span that is active; undefined when none is. */
export function activeTrace(): TraceParent | undefined {
  return traceParentOf(trace.getActiveSpan());
}

/** Says that what the span was about did not succeed: by the code that operators know, never by a message, which may hold anything. */
export function fail(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute(
    'error.type',
    error instanceof AppError ? error.code : error instanceof Error ? error.name : 'unknown',
  );
}

/** What is no trace context is none. */
function contextOf(parent: TraceParent | null): Context {
  const at = parent === null ? null : parse(parent);
  return at ? trace.setSpanContext(ROOT_CONTEXT, at) : ROOT_CONTEXT;
}

/** Any version but ff, whose fields after the flags are ignored (W3C trace context, 3.2 and 4.3). */
const FORM = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;

function parse(traceParent: TraceParent): SpanContext | null {
  const [, traceId, spanId, flags = ''] = FORM.exec(traceParent) ?? [];
  if (traceId === undefined || spanId === undefined) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}
