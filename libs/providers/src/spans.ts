/** A span per request, by OpenTelemetry's conventions for HTTP clients. Where nobody listens they cost nothing. */
import { type Attributes, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

const tracer = trace.getTracer('@mailstream/providers');

/** Of an answer. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
}

/**
 * Runs `ask` in a span. `request-id` is what Microsoft's support asks for; Google has none. Neither the path nor the query are recorded: they name
 * people and their messages.
 */
export async function inSpan<T extends Answered>(
  method: string,
  url: string,
  account: string,
  ask: () => Promise<T>,
): Promise<T> {
  const { hostname, port, protocol } = new URL(url);
  const attributes: Attributes = {
    'http.request.method': method,
    'server.address': hostname,
    'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
    'mailstream.account': account,
  };
  return tracer.startActiveSpan(method, { kind: SpanKind.CLIENT, attributes }, async (span) => {
    try {
      const answered = await ask();
      const { status, headers } = answered;
      span.setAttribute('http.response.status_code', status);
      const id = headers.get('request-id');
      if (id !== null) span.setAttribute('mailstream.provider.request_id', id);
      if (status >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
      return answered;
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttribute('error.type', error instanceof Error ? error.name : 'unknown');
      throw error;
    } finally {
      span.end();
    }
  });
}
