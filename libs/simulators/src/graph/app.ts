/** The Graph API: from an HTTP request to its answer, through everything that may go wrong before a route is reached. */
import { setTimeout as realTime } from 'node:timers/promises';
import type { Grant, TokenCheck } from '../entra/tokens.ts';
import { type Fault, type Faults, htmlPage } from '../http/faults.ts';
import { type HttpReply, type HttpRequest, json, type Wire } from '../http/message.ts';
import type { RequestLog } from '../http/request-log.ts';
import { type Account, uuidOf } from './accounts.ts';
import { type BatchItem, runBatch } from './batch.ts';
import type { DeltaDeps } from './delta.ts';
import { folderRoutes } from './folder-routes.ts';
import { messageRoutes } from './message-routes.ts';
import {
  badRequest,
  envelope,
  GraphFault,
  type GraphReply,
  type GraphRequest,
  parsePath,
} from './request.ts';
import { type SubscriptionDeps, subscriptionRoutes } from './subscription-routes.ts';

export interface GraphDeps extends DeltaDeps, SubscriptionDeps {
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly checkToken: (authorization: string | undefined) => TokenCheck;
}

/** What the outer request and each item of a batch have in common. */
interface Call {
  readonly method: string;
  /** Without `/v1.0`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly grant: Grant;
  readonly inBatch: boolean;
}

const VERSION = '/v1.0';

export function createGraphApp(deps: GraphDeps): (request: HttpRequest) => Promise<HttpReply> {
  let requests = 0;

  const failed = (error: unknown): GraphReply => {
    const fault =
      error instanceof GraphFault ? error : new GraphFault(500, 'InternalServerError', String(error));
    const body = envelope(fault.code, fault.message, deps.clock.now(), uuidOf(requests));
    return { status: fault.status, headers: fault.headers, body };
  };

  /** Lets a call through its mailbox's gate, logs it, and hands over how to leave. */
  const enter = (call: Call): { account: Account | null; segments: string[]; leave: () => void } => {
    const { owner, segments } = parsePath(call.path);
    let account: Account | null = call.grant.account;
    let entered = false;
    const leave = () => {
      if (entered) account?.gate.leave();
      entered = false;
    };
    let refusal: unknown;
    try {
      account = ownerOf(owner, call.grant, deps);
      account?.gate.enter(call.grant.app);
      entered = account !== null;
    } catch (error) {
      refusal = error;
    }
    const refused = entered ? 0 : 1;
    const entry = deps.log.add({
      at: deps.clock.now(),
      mailbox: account?.address ?? null,
      method: call.method,
      path: call.path,
      query: call.query.toString(),
      prefer: call.headers.prefer ?? '',
      inFlight: account ? account.gate.inFlight() + refused : 0,
      inBatch: call.inBatch,
    });
    if (refusal === undefined) return { account, segments, leave };
    entry.status = refusal instanceof GraphFault ? refusal.status : 500;
    throw refusal;
  };

  const think = () => {
    const ms = deps.random.between(deps.behaviour().latencyMs);
    return ms > 0 ? realTime(ms) : Promise.resolve();
  };

  async function dispatch(
    call: Call,
    account: Account | null,
    segments: readonly string[],
  ): Promise<GraphReply> {
    const { grant, ...rest } = call;
    const request = { ...rest, segments, app: grant.app };
    if (segments[0] === 'subscriptions')
      return subscriptionRoutes(segments.slice(1), { ...request, account }, deps);
    if (!account) throw badRequest('/me request is only valid with delegated authentication flow.');
    return mailRoutes({ ...request, account }, deps);
  }

  async function runItem(item: BatchItem, grant: Grant): Promise<GraphReply> {
    requests++;
    const url = new URL(item.url, 'https://batch');
    const headers = { 'content-length': '0', ...item.headers };
    const { method, body } = item;
    const call: Call = {
      method,
      path: url.pathname,
      query: url.searchParams,
      headers,
      body,
      grant,
      inBatch: true,
    };
    let leave = () => {};
    try {
      const entered = enter(call);
      leave = entered.leave;
      // A turn of the loop at least: items of one batch run side by side.
      await think();
      const target = { method, path: url.pathname + url.search, mailbox: entered.account?.address ?? null };
      const fault = deps.faults.take(target, {
        ...deps.behaviour().transport,
        reset: 0,
        drip: 0,
        htmlError: 0,
      });
      if (fault?.kind === 'status') throw faultOf(fault);
      if (fault?.kind === 'hold') await deps.faults.held();
      return await dispatch(call, entered.account, entered.segments);
    } catch (error) {
      return failed(error);
    } finally {
      leave();
    }
  }

  return async (http) => {
    requests++;
    const requestId = uuidOf(requests);
    let release = () => {};
    let wire: Wire = 'plain';
    const send = (reply: GraphReply): HttpReply => {
      const headers = { 'request-id': requestId, 'client-request-id': requestId, ...reply.headers };
      const raw = typeof reply.body === 'string' || Buffer.isBuffer(reply.body) ? { body: reply.body } : null;
      if (raw || reply.body === undefined) return { status: reply.status, headers, ...raw, wire, release };
      return { ...json(reply.status, reply.body, headers), wire, release };
    };
    try {
      const call = read(http, grantOf(deps.checkToken(http.headers.authorization)));
      const batch = call.path === '/$batch';
      const entered = batch ? { account: call.grant.account, segments: [], leave: () => {} } : enter(call);
      release = entered.leave;
      const target = {
        method: call.method,
        path: call.path + http.url.search,
        mailbox: entered.account?.address ?? null,
      };
      const fault = deps.faults.take(target, deps.behaviour().transport);
      wire = wireOf(http, fault, deps);
      if (fault?.kind === 'html')
        return {
          status: fault.status,
          headers: { 'content-type': 'text/html' },
          body: htmlPage(fault.status),
          release,
        };
      if (fault?.kind === 'status') throw faultOf(fault);
      if (fault?.kind === 'hold') await deps.faults.held();
      await think();
      const reply = batch
        ? await runBatch(call.body, deps.random, (item) => runItem(item, call.grant))
        : await dispatch(call, entered.account, entered.segments);
      return send(reply);
    } catch (error) {
      return send(failed(error));
    }
  };
}

function mailRoutes(request: GraphRequest, deps: GraphDeps): GraphReply {
  const [first, ...rest] = request.segments;
  if (first === undefined) return { status: 200, body: user(request.account) };
  if (first === 'mailFolders') return folderRoutes(rest, request, deps);
  if (first === 'messages') return messageRoutes(rest, request, deps);
  throw badRequest(`Resource not found for the segment '${first}'.`);
}

function user({ id, address, mailbox }: Account) {
  return { id, displayName: mailbox.owner.name, mail: address, userPrincipalName: address };
}

function read(http: HttpRequest, grant: Grant): Call {
  if (!http.url.pathname.startsWith(`${VERSION}/`)) throw badRequest('Invalid version.');
  const { method, url, headers, body } = http;
  let parsed: unknown;
  try {
    parsed = body.length === 0 ? undefined : JSON.parse(body.toString());
  } catch {
    throw badRequest('Unable to read JSON request payload.');
  }
  const path = url.pathname.slice(VERSION.length);
  return { method, path, query: url.searchParams, headers, body: parsed, grant, inBatch: false };
}

/** Whose mailbox a path is about; null for paths about none. Throws 403 and 404 for those out of reach. */
function ownerOf(owner: string | null, grant: Grant, { accounts }: GraphDeps): Account | null {
  if (owner === null) return grant.account;
  const account = owner === 'me' ? grant.account : accounts.find(owner);
  if (owner === 'me' && !account)
    throw badRequest('/me request is only valid with delegated authentication flow.');
  if (!account) throw new GraphFault(404, 'ErrorInvalidUser', `The requested user '${owner}' is invalid.`);
  if ((grant.account && grant.account !== account) || account.refusal === 'access-denied')
    throw new GraphFault(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
  if (account.refusal === 'no-mailbox')
    throw new GraphFault(
      404,
      'MailboxNotEnabledForRESTAPI',
      'REST API is not yet supported for this mailbox.',
    );
  return account;
}

const TOKEN_PROBLEMS = {
  missing: 'Access token is empty.',
  malformed: 'IDX14100: JWT is not well formed, there are no dots (.).',
  unknown: 'Access token validation failure. Invalid signature.',
  expired: 'Lifetime validation failed, the token is expired.',
  revoked:
    'Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp',
};

function grantOf(check: TokenCheck): Grant {
  if (check.kind === 'valid') return check.grant;
  throw new GraphFault(401, 'InvalidAuthenticationToken', TOKEN_PROBLEMS[check.kind], {
    'www-authenticate':
      'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"',
  });
}

function faultOf(fault: Extract<Fault, { kind: 'status' }>): GraphFault {
  const headers = fault.retryAfter === undefined ? undefined : { 'retry-after': String(fault.retryAfter) };
  return new GraphFault(
    fault.status,
    fault.code ?? 'UnknownError',
    fault.message ?? 'The service is unavailable.',
    headers,
  );
}

function wireOf(http: HttpRequest, fault: Fault | null, deps: GraphDeps): Wire {
  if (fault?.kind === 'reset' || fault?.kind === 'drip') return fault.kind;
  const accepted = (http.headers['accept-encoding'] ?? '').includes('gzip');
  return accepted && deps.random.chance(deps.behaviour().transport.gzip) ? 'gzip' : 'plain';
}
