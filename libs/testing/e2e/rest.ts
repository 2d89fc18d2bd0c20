/** The REST API as any program calls it: through the gateway, with a token. */
import { ApiError } from '@mailstream/contracts';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';

export interface Answer {
  readonly status: number;
  /** Parsed JSON; null when there is none. */
  readonly body: unknown;
}

export interface CallOptions {
  /** Sent as JSON; text is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Rest {
  /** Any answer, refusals too. Throws only when nobody answers. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** A success in the shape of the contract; anything else throws. */
  send<T extends TSchema>(schema: T, method: string, path: string, body?: unknown): Promise<Static<T>>;
  get<T extends TSchema>(schema: T, path: string): Promise<Static<T>>;
}

export function createRest(url: string, token: string): Rest {
  async function call(method: string, path: string, { body, headers }: CallOptions = {}): Promise<Answer> {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(new URL(path, url), {
      method,
      headers: { authorization: `Bearer ${token}`, ...json, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  }

  async function send<T extends TSchema>(schema: T, method: string, path: string, body?: unknown) {
    const answer = await call(method, path, { body });
    if (Value.Check(ApiError, answer.body)) {
      const { code, message } = answer.body.error;
      throw new Error(`${method} ${path}: ${answer.status} ${code}: ${message}`);
    }
    if (!Value.Check(schema, answer.body))
      throw new Error(`${method} ${path}: ${JSON.stringify(Value.Errors(schema, answer.body)[0])}`);
    return answer.body;
  }

  return { call, send, get: (schema, path) => send(schema, 'GET', path) };
}
