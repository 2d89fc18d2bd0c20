// What a trace says of a request.
import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inSpan } from './spans.ts';

const exporter = new InMemorySpanExporter();
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
const URL_OF_A_MESSAGE = 'https://graph.example.com/v1.0/users/ada@example.com/messages/AAMk?$select=id';

beforeAll(() => void trace.setGlobalTracerProvider(provider));
afterAll(async () => {
  trace.disable();
  await provider.shutdown();
});

it('the status, and the id under which Microsoft knows the request, but nobody and nothing of theirs', async () => {
  const answer = new Response('', { status: 429, headers: { 'request-id': 'r-1' } });
  await inSpan('GET', URL_OF_A_MESSAGE, 'account-1', () => Promise.resolve(answer));
  const [span] = exporter.getFinishedSpans();
  expect(span?.attributes).toEqual({
    'http.request.method': 'GET',
    'server.address': 'graph.example.com',
    'server.port': 443,
    'mailstream.account': 'account-1',
    'http.response.status_code': 429,
    'mailstream.provider.request_id': 'r-1',
  });
  expect(JSON.stringify([span?.name, span?.attributes])).not.toMatch(/ada|AAMk/);
});

it('that there was no answer', async () => {
  exporter.reset();
  const asking = inSpan('GET', URL_OF_A_MESSAGE, 'account-1', () =>
    Promise.reject(new TypeError('fetch failed')),
  );
  await expect(asking).rejects.toThrow('fetch failed');
  expect(exporter.getFinishedSpans()[0]?.attributes).toMatchObject({ 'error.type': 'TypeError' });
});
