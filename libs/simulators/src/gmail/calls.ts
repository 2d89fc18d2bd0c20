/** What a request and an item of a batch have in common: access, limits, the log, faults, and the route. */
import { setTimeout as realTime } from 'node:timers/promises';
import type { Fault } from '../http/faults.ts';
import type { LoggedRequest } from '../http/request-log.ts';
import type { Shared } from '../shared.ts';
import { admit } from './access.ts';
import type { GmailAccount, GoogleGrant } from './accounts.ts';
import type { GmailDeps } from './deps.ts';
import { draftRoutes } from './draft-routes.ts';
import { GoogleFault } from './errors.ts';
import { select } from './fields.ts';
import { historyRoute } from './history-routes.ts';
import { labelRoutes } from './label-routes.ts';
import { messageRoutes, threadRoutes } from './message-routes.ts';
import { type GmailReply, type GmailRequest, ok } from './request.ts';
import { stopRoute, watchRoute } from './watch-routes.ts';

export interface GmailCall {
  readonly method: string;
  /** With `/gmail/v1/users/`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parsed JSON; undefined when there is none. */
  readonly body: unknown;
  readonly inBatch: boolean;
}

/** A call that was let in. */
export interface Entered {
  readonly account: GmailAccount;
  readonly segments: readonly string[];
  readonly entry: LoggedRequest;
  /** To be called once the answer is on its way; a second time does nothing. */
  leave(): void;
}

const PREFIX = '/gmail/v1/users/';

/** Notes a call; its status is set when it is known. */
export function logCall(
  call: GmailCall,
  account: GmailAccount | null,
  inFlight: number,
  deps: Shared,
): LoggedRequest {
  return deps.log.add({
    at: deps.clock.now(),
    service: 'gmail',
    mailbox: account?.address ?? null,
    method: call.method,
    path: call.path,
    query: call.query.toString(),
    prefer: '',
    inFlight,
    inBatch: call.inBatch,
  });
}

/** Admits a call, counts it in and charges it. Logged, whether or not it throws. */
export function enter(call: GmailCall, grant: GoogleGrant, deps: GmailDeps): Entered {
  const { account } = grant;
  const entry = logCall(call, account, account ? account.meter.inFlight() + 1 : 0, deps);
  let inside = false;
  let watches = false;
  const leave = () => {
    if (!inside || !account) return;
    account.meter.leave();
    if (watches) account.watching--;
    inside = false;
  };
  try {
    if (!call.path.startsWith(PREFIX)) throw new GoogleFault(404, 'notFound', 'Not Found');
    const segments = call.path.slice(PREFIX.length).split('/');
    const admitted = admit({ ...call, segments }, grant);
    admitted.account.meter.enter();
    inside = true;
    watches = admitted.method === 'watch';
    if (watches) admitted.account.watching++;
    entry.units = admitted.account.meter.charge(admitted.method, grant.client.project);
    return { account: admitted.account, segments: admitted.segments, entry, leave };
  } catch (error) {
    leave();
    entry.status = error instanceof GoogleFault ? error.status : 500;
    throw error;
  }
}

/** The fault that hits this call; a status is thrown, holding is done here, the rest is for the wire. */
export async function suffer(
  call: GmailCall,
  account: GmailAccount | null,
  deps: Shared,
): Promise<Fault | null> {
  const search = call.query.size > 0 ? `?${call.query}` : '';
  const target = { method: call.method, path: call.path + search, mailbox: account?.address ?? null };
  const rates = deps.behaviour().transport;
  const fault = deps.faults.take(
    target,
    call.inBatch ? { ...rates, htmlError: 0, reset: 0, drip: 0 } : rates,
  );
  if (fault?.kind === 'status') {
    const headers = fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
    const message = fault.message ?? 'Backend Error';
    throw new GoogleFault(fault.status, fault.code ?? 'backendError', message, { headers });
  }
  if (fault?.kind === 'hold') await deps.faults.held();
  const ms = deps.random.between(deps.behaviour().latencyMs);
  if (ms > 0) await realTime(ms);
  return fault;
}

export function dispatch(
  call: GmailCall,
  grant: GoogleGrant,
  { account, segments }: Entered,
  deps: GmailDeps,
): GmailReply {
  const reply = route(segments, { ...call, segments, account, grant }, deps);
  const fields = call.query.get('fields') ?? call.query.get('$fields');
  if (fields === null || fields === '' || reply.body === undefined) return reply;
  const body = select(reply.body, fields);
  if (body !== null) return { ...reply, body };
  return deps.behaviour().gmail.emptyMask === 'no-content' ? { status: 204 } : ok({});
}

function route(segments: readonly string[], request: GmailRequest, deps: GmailDeps): GmailReply {
  const [first, ...rest] = segments;
  switch (first) {
    case 'profile':
      return ok(profile(request.account));
    case 'history':
      return historyRoute(request, deps);
    case 'messages':
      return messageRoutes(rest, request, deps);
    case 'threads':
      return threadRoutes(rest, request, deps);
    case 'labels':
      return labelRoutes(rest, request);
    case 'drafts':
      return draftRoutes(rest, request, deps);
    case 'watch':
      return watchRoute(request, deps);
    case 'stop':
      return stopRoute(request);
    default:
      throw new GoogleFault(404, 'notFound', 'Not Found');
  }
}

function profile({ address, mailbox, history, threads }: GmailAccount) {
  return {
    emailAddress: address,
    messagesTotal: mailbox.size(),
    threadsTotal: threads.count(),
    historyId: history.indexed().toString(),
  };
}
