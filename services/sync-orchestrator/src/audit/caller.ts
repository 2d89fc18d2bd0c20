/** Who calls a route of the orchestrator and from where, as the audit trail tells it. */
import { clientIpOf, type Principal } from '@mailstream/runtime';
import type { Caller } from './trail.ts';

interface Request {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly ip: string;
  readonly id: string;
}

/** Of an authenticated route. */
export function callerOf(request: Request & { readonly principal: Principal }): Caller {
  const { tenant, subject } = request.principal;
  return { tenant, actor: subject, ...placeOf(request) };
}

export function placeOf(request: Request): Pick<Caller, 'ip' | 'requestId'> {
  return { ip: clientIpOf(request), requestId: request.id };
}
