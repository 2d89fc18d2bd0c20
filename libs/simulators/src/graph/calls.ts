/** What a request and an item of a batch have in common: the gate of the mailbox, the log, and the route. */
import { setTimeout as realTime } from 'node:timers/promises';
import type { Grant } from '../entra/tokens.ts';
import type { Fault, Faults } from '../http/faults.ts';
import type { LoggedRequest, RequestLog } from '../http/request-log.ts';
import { onlyDelegated, ownerOf } from './access.ts';
import type { Account } from './accounts.ts';
import type { DeltaDeps } from './delta.ts';
import { badRequest, GraphFault } from './errors.ts';
import { folderRoutes } from './folder-routes.ts';
import { messageRoutes } from './message-routes.ts';
import { type GraphReply, type GraphRequest, parsePath } from './request.ts';
import { type SubscriptionDeps, subscriptionRoutes } from './subscription-routes.ts';

export interface CallDeps extends DeltaDeps, SubscriptionDeps {
  readonly faults: Faults;
  readonly log: RequestLog;
}

export interface Call {
  readonly method: string;
  /** Without `/v1.0`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; undefined when there is none. */
  readonly body: unknown;
  readonly inBatch: boolean;
}

/** A call that passed the gate. */
export interface Entered {
  readonly account: Account | null;
  readonly segments: readonly string[];
  readonly entry: LoggedRequest;
  /** To be called once the answer is on its way; a second time does nothing. */
  leave(): void;
}

/** Notes a call; its status is set when it is known. */
export function logCall(call: Call, mailbox: string | null, inFlight: number, deps: CallDeps): LoggedRequest {
  return deps.log.add({
    at: deps.clock.now(),
    service: 'graph',
    mailbox,
    method: call.method,
    path: call.path,
    query: call.query.toString(),
    prefer: call.headers.prefer ?? '',
    inFlight,
    inBatch: call.inBatch,
  });
}

/** Lets a call through the gate of its mailbox. Logged, whether or not it throws. */
export function enter(call: Call, grant: Grant, deps: CallDeps): Entered {
  const { owner, segments } = parsePath(call.path);
  let account = grant.account;
  try {
    account = ownerOf(owner, grant, deps.accounts);
    account?.gate.enter(grant.app);
  } catch (error) {
    const entry = logCall(call, account?.address ?? null, account ? account.gate.inFlight() + 1 : 0, deps);
    entry.status = error instanceof GraphFault ? error.status : 500;
    throw error;
  }
  const entry = logCall(call, account?.address ?? null, account?.gate.inFlight() ?? 0, deps);
  let inside = true;
  const leave = () => {
    if (inside) account?.gate.leave();
    inside = false;
  };
  return { account, segments, entry, leave };
}

/** The fault that hits this call; a status is thrown, holding is done here, the rest is for the wire. */
export async function suffer(call: Call, account: Account | null, deps: CallDeps): Promise<Fault | null> {
  const search = call.query.size > 0 ? `?${call.query}` : '';
  const target = { method: call.method, path: call.path + search, mailbox: account?.address ?? null };
  const rates = deps.behaviour().transport;
  const fault = deps.faults.take(
    target,
    call.inBatch ? { ...rates, htmlError: 0, reset: 0, drip: 0 } : rates,
  );
  if (fault?.kind === 'status') {
    const headers = fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
    const message = fault.message ?? 'The service is unavailable.';
    throw new GraphFault(
      fault.status,
      fault.code ?? (fault.status === 503 ? 'ServiceNotAvailable' : 'UnknownError'),
      message,
      headers,
    );
  }
  if (fault?.kind === 'hold') await deps.faults.held();
  const ms = deps.random.between(deps.behaviour().latencyMs);
  if (ms > 0) await realTime(ms);
  return fault;
}

export async function dispatch(
  call: Call,
  grant: Grant,
  { account, segments }: Entered,
  deps: CallDeps,
): Promise<GraphReply> {
  const request = { ...call, segments, app: grant.app };
  if (segments[0] === 'subscriptions')
    return subscriptionRoutes(segments.slice(1), { ...request, account }, deps);
  if (!account) throw onlyDelegated();
  return mailRoutes({ ...request, account }, deps);
}

function mailRoutes(request: GraphRequest, deps: CallDeps): GraphReply {
  const [first, ...rest] = request.segments;
  if (first === undefined) return { status: 200, body: user(request.account) };
  if (first === 'mailFolders') return folderRoutes(rest, request, deps);
  if (first === 'messages') return messageRoutes(rest, request, deps);
  throw badRequest(`Resource not found for the segment '${first}'.`);
}

function user({ id, address, mailbox }: Account) {
  return { id, displayName: mailbox.owner.name, mail: address, userPrincipalName: address };
}
