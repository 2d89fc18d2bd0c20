/** From where a request came, told on by the gateway to the services behind it. */
import { randomUUID } from 'node:crypto';

/** Both are set by the gateway on what it passes on; the first in place of whatever a caller sent. */
export const CLIENT_IP_HEADER = 'x-mailstream-client-ip';
export const REQUEST_ID_HEADER = 'x-request-id';

interface WithHeaders {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The id that the caller gave the request, so that one id is in all logs; a new one when it gave none that is fit for logs. */
export function requestIdOf({ headers }: WithHeaders): string {
  const given = headers[REQUEST_ID_HEADER];
  return typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
}

/** As the gateway saw it; without a gateway in between, whoever is connected. Services behind the gateway are not to be reachable for others. */
export function clientIpOf({ headers, ip }: WithHeaders & { readonly ip: string }): string {
  const passedOn = headers[CLIENT_IP_HEADER];
  return typeof passedOn === 'string' ? passedOn : ip;
}
