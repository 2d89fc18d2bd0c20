/** `GET /v1/changes/ws`: what changes, as it changes, over a WebSocket that ends here. */
import type { IncomingMessage } from 'node:http';
import websocket from '@fastify/websocket';
import { ApiError, CHANGES_PROTOCOL, ChangeLine, ChangesQuery } from '@mailstream/contracts';
import {
  AppError,
  authorizationOf,
  CLIENT_IP_HEADER,
  type HttpServer,
  REQUEST_ID_HEADER,
} from '@mailstream/runtime';
import { type SocketLimits, tellChanges } from '../changes-socket.ts';

const PATH = '/v1/changes/ws';
const LIMITS: SocketLimits = { slowMs: 30_000, answerMs: 30_000 };
/** Nothing is expected from readers, bytes. */
const MAX_PAYLOAD = 1_024;
/** The end of the process waits so long for readers to take their leave, milliseconds. */
const STOP_MS = 2_000;

/** Other requests to upgrade, such as for HTTP/2, are answered as if they had not asked. */
export function isChangesSocket({ url = '', headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket' && url.split('?')[0] === PATH;
}

export async function registerChangesSocket(
  app: HttpServer,
  projector: string,
  limits = LIMITS,
): Promise<void> {
  const stopping = new AbortController();
  await app.register(websocket, {
    options: {
      autoPong: false,
      maxPayload: MAX_PAYLOAD,
      handleProtocols: (offered: Set<string>) => offered.has(CHANGES_PROTOCOL) && CHANGES_PROTOCOL,
    },
    preClose(done) {
      stopping.abort();
      const { websocketServer: server } = app;
      const late = setTimeout(() => {
        for (const client of server.clients) client.terminate();
      }, STOP_MS);
      server.close(() => {
        clearTimeout(late);
        done();
      });
    },
  });
  // Whoever is refused before the plugin looks would keep the connection, which belongs to no server any more.
  app.addHook('onResponse', async ({ raw }) => {
    if (isChangesSocket(raw)) raw.socket.destroySoon();
  });
  app.route({
    method: 'GET',
    url: PATH,
    config: { scope: 'messages:read' },
    schema: {
      tags: ['changes'],
      summary: 'What changes, as it changes: a WebSocket',
      description: `Each message is a \`ChangeLine\`: a change with its \`id\`, or an \`id\` alone, which says how far the stream is. Come back with the last one as \`from\`. Answer pings, as WebSocket libraries do by themselves: the next changes are sent when those before have arrived, and who does not answer for 30 s is cut off. Browsers offer the subprotocols \`${CHANGES_PROTOCOL}\` and \`bearer.<token>\`. The last message says why it ends, and the close code is 4000 + the status of that: 4400 the query is wrong, 4401 and 4403 another token is needed, 4410 the place is lost (begin again with a snapshot), 4429 too many are open, 4503 connect again.`,
      querystring: ChangesQuery,
      response: {
        101: { ...ChangeLine, description: 'The messages that follow.' },
        400: ApiError,
        401: ApiError,
      },
    },
    handler: async () => {
      throw new AppError(
        'changes.no_websocket',
        'invalid',
        'this is a WebSocket: ask to upgrade, or read GET /v1/changes',
      );
    },
    wsHandler: async (socket, { headers, id, ip, url }) => {
      const authorization = authorizationOf(headers);
      const lastEventId = headers['last-event-id'];
      await tellChanges(
        socket,
        {
          url: new URL(`/v1/changes${new URL(url, projector).search}`, projector),
          headers: {
            [CLIENT_IP_HEADER]: ip,
            [REQUEST_ID_HEADER]: id,
            ...(authorization !== undefined && { authorization }),
            ...(typeof lastEventId === 'string' && { 'last-event-id': lastEventId }),
          },
        },
        limits,
        stopping.signal,
      );
    },
  });
}
