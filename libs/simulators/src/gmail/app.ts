/** The Gmail API over HTTP: from a request to its answer, and how that goes over the wire. */
import { htmlPage } from '../http/faults.ts';
import { type HttpReply, type HttpRequest, json, type Wire } from '../http/message.ts';
import { grantOf, type TokenCheck } from './access.ts';
import type { GoogleGrant } from './accounts.ts';
import { type BatchItem, runBatch } from './batch.ts';
import { dispatch, type Entered, enter, type GmailCall, logCall, suffer } from './calls.ts';
import type { GmailDeps } from './deps.ts';
import { envelope, GoogleFault, invalid } from './errors.ts';
import type { GmailReply } from './request.ts';

export interface GmailAppDeps extends GmailDeps {
  readonly checkToken: (authorization: string | undefined) => TokenCheck;
}

/** The second is where the description of the API says it is. */
const BATCH = new Set(['/batch/gmail/v1', '/batch']);

export function createGmailApp(deps: GmailAppDeps): (request: HttpRequest) => Promise<HttpReply> {
  async function runItem({ method, target, body }: BatchItem, grant: GoogleGrant): Promise<GmailReply> {
    const { pathname, searchParams: query } = new URL(target, 'https://batch');
    let entered: Entered | undefined;
    let reply: GmailReply;
    try {
      const call: GmailCall = { method, path: pathname, query, body: parse(body), inBatch: true };
      entered = enter(call, grant, deps);
      await suffer(call, entered.account, deps);
      reply = dispatch(call, grant, entered, deps);
    } catch (error) {
      reply = failed(error);
    }
    if (entered) entered.entry.status = reply.status;
    entered?.leave();
    return reply;
  }

  return async (http) => {
    let entered: Entered | undefined;
    let wire: Wire = 'plain';
    const send = ({ status, headers, body }: GmailReply): HttpReply => {
      if (entered) entered.entry.status = status;
      const release = () => entered?.leave();
      if (body === undefined) return { status, headers: headers ?? {}, wire, release };
      const type = { 'content-type': 'application/json; charset=UTF-8' };
      return { ...json(status, body, { ...type, ...headers }), wire, release };
    };
    const { method, headers } = http;
    const { pathname: path, searchParams: query } = http.url;
    try {
      const isBatch = BATCH.has(path) && method === 'POST';
      const body = isBatch ? undefined : parse(http.body.toString());
      const call: GmailCall = { method, path, query, body, inBatch: false };
      const grant = authenticate(call, http);
      if (isBatch) logCall(call, grant.account, 0, deps).status = 200;
      else entered = enter(call, grant, deps);
      const fault = await suffer(call, grant.account, deps);
      const zipped = (headers['accept-encoding'] ?? '').includes('gzip');
      if (fault?.kind === 'reset' || fault?.kind === 'drip') wire = fault.kind;
      else if (zipped && deps.random.chance(deps.behaviour().transport.gzip)) wire = 'gzip';
      if (fault?.kind === 'html') {
        if (entered) entered.entry.status = fault.status;
        const release = () => entered?.leave();
        const type = { 'content-type': 'text/html; charset=UTF-8' };
        return { status: fault.status, headers: type, body: htmlPage(fault.status), release };
      }
      if (entered) return send(dispatch(call, grant, entered, deps));
      const { contentType, ...answer } = await runBatch(
        headers['content-type'] ?? '',
        http.body.toString(),
        (item) => runItem(item, grant),
      );
      return { status: 200, headers: { 'content-type': contentType }, ...answer, wire };
    } catch (error) {
      return send(failed(error));
    }
  };

  function authenticate(call: GmailCall, http: HttpRequest): GoogleGrant {
    try {
      return grantOf(deps.checkToken(http.headers.authorization));
    } catch (error) {
      logCall(call, null, 0, deps).status = 401;
      throw error;
    }
  }
}

function parse(body: string): unknown {
  try {
    return body === '' ? undefined : JSON.parse(body);
  } catch {
    throw invalid('Invalid JSON payload received.');
  }
}

function failed(error: unknown): GmailReply {
  const fault =
    error instanceof GoogleFault ? error : new GoogleFault(500, 'backendError', `Backend Error: ${error}`);
  return { status: fault.status, headers: fault.more.headers ?? {}, body: envelope(fault) };
}
