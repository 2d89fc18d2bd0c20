/** The Graph API over HTTP: from a request to its answer, and how that goes over the wire. */
import type { Grant, TokenCheck } from '../entra/tokens.ts';
import { htmlPage } from '../http/faults.ts';
import { type HttpReply, type HttpRequest, json, type Wire } from '../http/message.ts';
import { grantOf } from './access.ts';
import { uuidOf } from './accounts.ts';
import { type BatchItem, runBatch } from './batch.ts';
import { type Call, type CallDeps, dispatch, type Entered, enter, logCall, suffer } from './calls.ts';
import { badRequest, envelope, GraphFault } from './errors.ts';
import type { GraphReply } from './request.ts';

export interface GraphDeps extends CallDeps {
  readonly checkToken: (authorization: string | undefined) => TokenCheck;
}

const VERSION = '/v1.0';
const BATCH = '/$batch';

export function createGraphApp(deps: GraphDeps): (request: HttpRequest) => Promise<HttpReply> {
  let requests = 0;

  const failed = (error: unknown): GraphReply => {
    const fault =
      error instanceof GraphFault ? error : new GraphFault(500, 'InternalServerError', String(error));
    const body = envelope(fault.code, fault.message, deps.clock.now(), uuidOf(requests));
    return { status: fault.status, headers: fault.headers, body };
  };

  async function runItem({ method, url, headers, body }: BatchItem, grant: Grant): Promise<GraphReply> {
    const { pathname, searchParams: query } = new URL(url, 'https://batch');
    // No item has a length of its own: none can lack one.
    const withLength = { 'content-length': '0', ...headers };
    const call: Call = { method, path: pathname, query, headers: withLength, body, inBatch: true };
    let entered: Entered | undefined;
    let reply: GraphReply;
    try {
      entered = enter(call, grant, deps);
      await suffer(call, entered.account, deps);
      reply = await dispatch(call, grant, entered, deps);
    } catch (error) {
      reply = failed(error);
    }
    if (entered) entered.entry.status = reply.status;
    entered?.leave();
    return reply;
  }

  return async (http) => {
    const requestId = uuidOf(++requests);
    let entered: Entered | undefined;
    let wire: Wire = 'plain';
    const send = (reply: GraphReply): HttpReply => {
      if (entered) entered.entry.status = reply.status;
      const headers = { 'request-id': requestId, 'client-request-id': requestId, ...reply.headers };
      const release = () => entered?.leave();
      const raw = typeof reply.body === 'string' || Buffer.isBuffer(reply.body) ? { body: reply.body } : null;
      if (raw || reply.body === undefined) return { status: reply.status, headers, ...raw, wire, release };
      return { ...json(reply.status, reply.body, headers), wire, release };
    };
    try {
      const call = read(http);
      const grant = authenticate(call, http, deps);
      entered =
        call.path === BATCH
          ? { account: grant.account, segments: [], entry: logCall(call, null, 0, deps), leave: () => {} }
          : enter(call, grant, deps);
      const fault = await suffer(call, entered.account, deps);
      const zipped = (http.headers['accept-encoding'] ?? '').includes('gzip');
      if (fault?.kind === 'reset' || fault?.kind === 'drip') wire = fault.kind;
      else if (zipped && deps.random.chance(deps.behaviour().transport.gzip)) wire = 'gzip';
      if (fault?.kind === 'html')
        return send({
          status: fault.status,
          headers: { 'content-type': 'text/html' },
          body: htmlPage(fault.status),
        });
      if (call.path !== BATCH) return send(await dispatch(call, grant, entered, deps));
      return send(await runBatch(call.body, deps.random, (item) => runItem(item, grant)));
    } catch (error) {
      return send(failed(error));
    }
  };
}

function read({ method, url, headers, body }: HttpRequest): Call {
  if (!url.pathname.startsWith(`${VERSION}/`)) throw badRequest('Invalid version.');
  let parsed: unknown;
  try {
    parsed = body.length === 0 ? undefined : JSON.parse(body.toString());
  } catch {
    throw badRequest('Unable to read JSON request payload.');
  }
  const path = url.pathname.slice(VERSION.length);
  return { method, path, query: url.searchParams, headers, body: parsed, inBatch: false };
}

function authenticate(call: Call, http: HttpRequest, deps: GraphDeps): Grant {
  try {
    return grantOf(deps.checkToken(http.headers.authorization));
  } catch (error) {
    logCall(call, null, 0, deps).status = 401;
    throw error;
  }
}
