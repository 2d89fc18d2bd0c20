/** The control API over HTTP: `POST /__sim/<method>` with the method's argument as JSON. */
import { type HttpReply, type HttpRequest, json } from '../http/message.ts';
import type { Control } from './control.ts';

const PREFIX = '/__sim/';

export function isControlRequest(request: HttpRequest): boolean {
  return request.url.pathname.startsWith(PREFIX);
}

/** 200 with the result, 404 for no such method, 400 with the reason of a failure. */
export function handleControl(request: HttpRequest, control: Control): HttpReply {
  const name = request.url.pathname.slice(PREFIX.length);
  const method = Object.entries(control).find(([own]) => own === name)?.[1];
  if (typeof method !== 'function') return json(404, { error: `There is no control method ${name}.` });
  try {
    const argument: unknown = request.body.length === 0 ? {} : JSON.parse(request.body.toString());
    const result: unknown = Reflect.apply(method, control, [argument]);
    return json(200, result ?? null);
  } catch (error) {
    return json(400, { error: error instanceof Error ? error.message : String(error) });
  }
}
