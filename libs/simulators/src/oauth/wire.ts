/** Sign-in over HTTP: each request is noted, and its answer is held back or lost if that was planned. */
import { htmlPage } from '../http/faults.ts';
import type { HttpReply, HttpRequest } from '../http/message.ts';
import type { Service } from '../http/request-log.ts';
import type { Shared } from '../shared.ts';

/** Of a form only the kind of grant is noted: the rest is secret. What is held back or lost was done nevertheless. */
export function overHttp(
  service: Service,
  handle: (request: HttpRequest) => Promise<HttpReply>,
  { clock, faults, log }: Pick<Shared, 'clock' | 'faults' | 'log'>,
) {
  return async (request: HttpRequest): Promise<HttpReply> => {
    const { method, url } = request;
    const grant = new URLSearchParams(request.body.toString()).get('grant_type');
    const entry = log.add({
      at: clock.now(),
      service,
      mailbox: null,
      method,
      path: url.pathname,
      query: grant === null ? '' : `grant_type=${grant}`,
      prefer: '',
      inFlight: 0,
      inBatch: false,
    });
    const fault = faults.take({ method, path: url.pathname, mailbox: null }, null);
    const reply =
      fault?.kind === 'status' || fault?.kind === 'html'
        ? { status: fault.status, headers: { 'content-type': 'text/html' }, body: htmlPage(fault.status) }
        : await handle(request);
    entry.status = reply.status;
    if (fault?.kind === 'hold') await faults.held();
    return fault?.kind === 'reset' || fault?.kind === 'drip' ? { ...reply, wire: fault.kind } : reply;
  };
}
