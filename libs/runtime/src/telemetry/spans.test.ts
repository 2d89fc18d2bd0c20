// What is handed on of a trace, within a process and across HTTP.
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import Fastify from 'fastify';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { AppError } from '../errors.ts';
import { registerSpans, traceHeadersOf } from './http-spans.ts';
import { activeTrace, inChildSpan, inSpan, TRACEPARENT } from './spans.ts';

const TRACE = 'af7651916cd43dd8448eb211c80319c0';
const CALLER = `00-${TRACE}-b7ad6b7169203331-01`;
const exporter = new InMemorySpanExporter();
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
});
beforeEach(() => exporter.reset());
afterAll(async () => {
  trace.disable();
  context.disable();
  await provider.shutdown();
});

const nothing = async () => undefined;

it('a span goes on with the trace that it is given, and links to others', async () => {
  const other = '00-11111111111111111111111111111111-2222222222222222-01';
  const within = await inSpan('work', { parent: CALLER, links: [other, 'no trace'] }, async () =>
    activeTrace(),
  );
  expect(within).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  const [span] = exporter.getFinishedSpans();
  expect(span?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
  expect(span?.links.map((link) => link.context.traceId)).toEqual(['1'.repeat(32)]);
});

it('what its parent does not sample is not recorded, but handed on', async () => {
  const within = await inSpan('work', { parent: CALLER.replace(/01$/, '00') }, async () => activeTrace());
  expect(within).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  expect(exporter.getFinishedSpans()).toEqual([]);
});

it('an error is noted by its code, and its message is nowhere', async () => {
  const failing = inSpan('work', {}, async () => {
    throw new AppError('imap.timeout', 'timeout', 'ada@example.com did not answer');
  });
  await expect(failing).rejects.toThrow('did not answer');
  const [span] = exporter.getFinishedSpans();
  expect(span?.attributes).toEqual({ 'error.type': 'imap.timeout' });
  expect(JSON.stringify([span?.status, span?.events])).not.toContain('ada');
});

it('a part without a whole is not begun', async () => {
  await inChildSpan('part', {}, nothing);
  await inSpan('whole', {}, () => inChildSpan('part', {}, nothing));
  expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['part', 'whole']);
});

it('a call is part of its caller’s trace, also when its body was read; where anybody may call it is not', async () => {
  const app = Fastify();
  registerSpans(app);
  const answer = async (request: object) => ({
    here: activeTrace(),
    passedOn: traceHeadersOf(request)[TRACEPARENT],
  });
  app.post('/v1/accounts/:id', answer);
  app.post('/v1/webhooks/microsoft', { config: { open: true } }, answer);
  const call = async (url: string) =>
    (await app.inject({ method: 'POST', url, payload: { a: 1 }, headers: { [TRACEPARENT]: CALLER } })).json();
  const { here, passedOn } = await call('/v1/accounts/ada@example.com');
  expect(here).toContain(TRACE);
  expect(passedOn).toBe(here);
  expect((await call('/v1/webhooks/microsoft')).here).not.toContain(TRACE);
  const [first] = exporter.getFinishedSpans();
  expect(first?.name).toBe('POST /v1/accounts/:id');
  expect(first?.attributes).toMatchObject({
    'http.response.status_code': 200,
    'http.route': '/v1/accounts/:id',
  });
  expect(JSON.stringify(first?.attributes)).not.toContain('ada');
});
