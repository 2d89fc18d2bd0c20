/** A collector for tests and benches: takes traces by OTLP over HTTP, in protobuf, and keeps them in memory. */
import { createServer } from 'node:http';

/** A span as it was sent. */
export interface ReceivedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentId: string;
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  spans(): readonly ReceivedSpan[];
  /** Everything that was sent, as it came. */
  bodies(): readonly Buffer[];
  /** How many times metrics came. */
  metrics(): number;
  close(): Promise<void>;
}

export async function startOtlpReceiver({
  keep = true,
}: {
  readonly keep?: boolean;
} = {}): Promise<OtlpReceiver> {
  const bodies: Buffer[] = [];
  const traces: Buffer[] = [];
  let metrics = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (request.url === '/v1/metrics') metrics += 1;
    if (keep) {
      bodies.push(body);
      if (request.url === '/v1/traces') traces.push(body);
    }
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    spans: () => traces.flatMap(spansIn),
    bodies: () => bodies,
    metrics: () => metrics,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** `ExportTraceServiceRequest` of opentelemetry-proto: the numbers below are its fields'. */
function spansIn(body: Buffer): ReceivedSpan[] {
  return all(body, 1).flatMap((resourceSpans) => {
    const service = String(attributesIn(all(resourceSpans, 1)[0], 1)['service.name'] ?? '');
    return all(resourceSpans, 2).flatMap((scope) => all(scope, 2).map((span) => spanOf(service, span)));
  });
}

function spanOf(service: string, span: Buffer): ReceivedSpan {
  const hex = (field: number) => all(span, field)[0]?.toString('hex') ?? '';
  return {
    service,
    name: all(span, 5)[0]?.toString() ?? '',
    traceId: hex(1),
    spanId: hex(2),
    parentId: hex(4),
    start: time(span, 7),
    end: time(span, 8),
    attributes: attributesIn(span, 9),
    links: all(span, 13).map((link) => ({
      traceId: all(link, 1)[0]?.toString('hex') ?? '',
      spanId: all(link, 2)[0]?.toString('hex') ?? '',
    })),
  };
}

function time(span: Buffer, field: number): number {
  return Number((all(span, field)[0]?.readBigUInt64LE() ?? 0n) / 1_000n) / 1_000;
}

function attributesIn(message: Buffer | undefined, field: number): Record<string, string | number | boolean> {
  const pairs = message ? all(message, field) : [];
  return Object.fromEntries(
    pairs.map((pair) => [all(pair, 1)[0]?.toString() ?? '', textOf(all(pair, 2)[0])]),
  );
}

/** `AnyValue`: text, truth, whole number, number; what else there is has no use here. */
function textOf(value: Buffer | undefined): string | number | boolean {
  for (const [field, bytes] of value ? fieldsOf(value) : []) {
    if (field === 1) return bytes.toString();
    if (field === 2) return bytes.readBigUInt64LE() !== 0n;
    if (field === 3) return Number(bytes.readBigInt64LE());
    if (field === 4) return bytes.readDoubleLE();
  }
  return '';
}

function all(message: Buffer, field: number): Buffer[] {
  return [...fieldsOf(message)].flatMap(([number, bytes]) => (number === field ? [bytes] : []));
}

/** The fields of a message in protobuf's wire format; numbers as eight bytes, little end first. */
function* fieldsOf(message: Buffer): Generator<[field: number, bytes: Buffer]> {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++] ?? 0;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const kind = tag & 7;
    if (kind === 0) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt.asUintN(64, varint()));
      yield [tag >>> 3, bytes];
    } else {
      const length = kind === 1 ? 8 : kind === 5 ? 4 : Number(varint());
      yield [tag >>> 3, message.subarray(at, at + length)];
      at += length;
    }
  }
}
