/** Where a request has its token: in a header in any case, never in its address, which is logged on the way. */
import type { IncomingHttpHeaders } from 'node:http';

const OFFERED = 'bearer.';

/**
 * The `Authorization` of a request. Pages cannot set it when they open a WebSocket: there the token is one of the subprotocols that are offered,
 * `bearer.<token>`, which is never the one that is chosen.
 */
export function authorizationOf(headers: IncomingHttpHeaders): string | undefined {
  const { authorization, upgrade, 'sec-websocket-protocol': protocols = '' } = headers;
  if (authorization !== undefined || upgrade?.toLowerCase() !== 'websocket') return authorization;
  const offered = protocols.split(',').map((protocol) => protocol.trim());
  const token = offered.find((protocol) => protocol.startsWith(OFFERED));
  return token && `Bearer ${token.slice(OFFERED.length)}`;
}
