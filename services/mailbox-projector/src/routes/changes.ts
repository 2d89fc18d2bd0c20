/** `GET /v1/changes`: what changes, as it changes, as Server-Sent Events or lines of JSON. */
import { Readable } from 'node:stream';
import { ApiError, ChangeLine, ChangesQuery } from '@mailstream/contracts';
import type { HttpServer } from '@mailstream/runtime';
import { Type } from 'typebox';
import { beginDelivery } from '../changes/delivery.ts';
import { type Framing, LINES, SERVER_SENT_EVENTS } from '../changes/framing.ts';
import type { Reader, Readers } from '../changes/readers.ts';

/** A reader that takes nothing for so long is cut off, milliseconds: it comes back with the last id it has. */
const SLOW_MS = 30_000;

const Stream = Type.Unsafe<string | Readable>({ type: 'string' });

export function registerChangesRoute(
  app: HttpServer,
  readers: Readers,
  { slowMs = SLOW_MS }: { readonly slowMs?: number } = {},
): void {
  app.addHook('preClose', () => readers.stop());
  app.get(
    '/v1/changes',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags: ['changes'],
        summary: 'What changes, as it changes: Server-Sent Events, or lines of JSON',
        description:
          'One event per change: `event` is its type (`message.created`), `data` the CloudEvent, `id` what to go on from, as `Last-Event-ID` or `from`. An id without an event says how far the stream is. `event: closing` says why it ends. With `Accept: application/x-ndjson` each line is a `ChangeLine`.',
        querystring: ChangesQuery,
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 120 })) }),
        response: {
          200: {
            content: {
              'text/event-stream': { schema: Stream },
              'application/x-ndjson': { schema: ChangeLine },
            },
          },
          400: ApiError,
          401: ApiError,
          410: ApiError,
          429: ApiError,
        },
      },
    },
    async (request, reply) => {
      const reader = await readers.open({
        principal: request.principal,
        authorization: request.headers.authorization,
        query: request.query,
        lastEventId: request.headers['last-event-id'],
      });
      reply.raw.once('close', () => reader.close());
      if (request.raw.socket.destroyed) reader.close();
      const framing = /application\/x-ndjson/i.test(request.headers.accept ?? '')
        ? LINES
        : SERVER_SENT_EVENTS;
      reply.header('content-type', framing.contentType);
      // Of proxies that would collect an answer before they pass it on.
      reply.header('x-accel-buffering', 'no');
      const cutOff = () => request.raw.socket.destroy();
      const frames = framesOf(reader, framing, { cutOff, slowMs });
      return reply.send(Readable.from(frames, { objectMode: false }));
    },
  );
}

/** `cutOff` is called when what was given out is not taken. */
async function* framesOf(
  reader: Reader,
  framing: Framing,
  { cutOff, slowMs }: { readonly cutOff: () => void; readonly slowMs: number },
): AsyncGenerator<string, void> {
  yield framing.begin(reader.start);
  for await (const news of reader.news()) {
    const timer = setTimeout(cutOff, slowMs);
    const delivered = beginDelivery('entries' in news ? news.entries : []);
    try {
      yield 'code' in news ? framing.ending(news) : framing.news(news);
    } finally {
      clearTimeout(timer);
      delivered();
    }
  }
}
