/** `GET /v1/changes`: what changes, as it changes, as Server-Sent Events. */
import { Readable } from 'node:stream';
import { ApiError, ChangesQuery } from '@mailstream/contracts';
import type { HttpServer } from '@mailstream/runtime';
import { Type } from 'typebox';
import { beginDelivery } from '../changes/delivery.ts';
import { eventIdOf } from '../changes/event-id.ts';
import type { Entry, News } from '../changes/feed.ts';
import type { Ending, Reader, Readers } from '../changes/readers.ts';

/** A reader that takes nothing for so long is cut off, milliseconds: it comes back with the last id it has. */
const SLOW_MS = 30_000;

export function registerChangesRoute(app: HttpServer, readers: Readers): void {
  app.addHook('preClose', () => readers.stop());
  app.get(
    '/v1/changes',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags: ['changes'],
        summary: 'What changes, as it changes: Server-Sent Events',
        description:
          'One event per change: `event` is its type (`message.created`), `data` the CloudEvent, `id` what to go on from, as `Last-Event-ID` or `from`. An id without an event says how far the stream is. `event: closing` says why it ends.',
        querystring: ChangesQuery,
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 120 })) }),
        response: {
          200: Type.Unsafe<string | Readable>({ type: 'string', description: '`text/event-stream`' }),
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
      reply.header('content-type', 'text/event-stream; charset=utf-8');
      // Of proxies that would collect an answer before they pass it on.
      reply.header('x-accel-buffering', 'no');
      const cutOff = () => request.raw.socket.destroy();
      return reply.send(Readable.from(framesOf(reader, cutOff), { objectMode: false }));
    },
  );
}

/** `cutOff` is called when what was given out is not taken. */
async function* framesOf(reader: Reader, cutOff: () => void): AsyncGenerator<string, void> {
  yield `retry: ${retryMs()}\nid: ${eventIdOf(reader.start)}\n\n`;
  for await (const news of reader.news()) {
    const timer = setTimeout(cutOff, SLOW_MS);
    const delivered = beginDelivery('entries' in news ? news.entries : []);
    try {
      yield frameOf(news);
    } finally {
      clearTimeout(timer);
      delivered();
    }
  }
}

function frameOf(news: News | Ending): string {
  if ('code' in news) return `retry: ${retryMs()}\nevent: closing\ndata: ${JSON.stringify(news)}\n\n`;
  const { entries, position } = news;
  const last = entries.at(-1)?.position.sequence;
  // Quiet readers move along too, or what they stand at would one day not be kept any more.
  const moved = last === position.sequence ? '' : `: quiet\nid: ${eventIdOf(position)}\n\n`;
  return entries.map(eventOf).join('') + moved;
}

function eventOf({ position, name, json }: Entry): string {
  return `id: ${eventIdOf(position)}\nevent: ${name}\ndata: ${json}\n\n`;
}

/** Not all at once when many are cut off together. */
function retryMs(): number {
  return 1_000 + Math.round(Math.random() * 4_000);
}
