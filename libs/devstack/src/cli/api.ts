/** The REST API as the commands call it. */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { ApiError } from '@mailstream/contracts';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { CliError, LostConnectionError } from './errors.ts';
import type { Stack } from './stack.ts';

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Answers are checked against the contract. Throws `CliError` with what the API said, or that nobody is there. */
export interface Api {
  get<T extends TSchema>(answer: T, path: string, query?: Query): Promise<Static<T>>;
  send<T extends TSchema>(
    answer: T,
    method: 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<Static<T>>;
  /** Lines of an answer that has no end, as they come. Throws `LostConnectionError` when it broke off, or when it may work a moment later. */
  lines<T extends TSchema>(
    line: T,
    path: string,
    query: Query,
    signal: AbortSignal,
  ): AsyncGenerator<Static<T>, void>;
  /** Where the API sends a browser. */
  redirect(path: string): Promise<string>;
}

export function createApi({ url, token }: Pick<Stack, 'url' | 'token'>): Api {
  async function ask(target: URL, init: RequestInit): Promise<Response> {
    const headers = { ...init.headers, authorization: `Bearer ${token}` };
    return fetch(target, { ...init, headers }).catch((error: unknown) => {
      throw new LostConnectionError(`nobody answers at ${url}: start Mailstream with \`npm start\``, {
        cause: error,
      });
    });
  }

  async function call<T extends TSchema>(schema: T, target: URL, init: RequestInit): Promise<Static<T>> {
    const response = await ask(target, init);
    const answer = parseJson(await response.text());
    if (!response.ok) throw new CliError(...refusal(response.status, answer));
    if (!Value.Check(schema, answer)) throw unexpected(target.pathname);
    return answer;
  }

  function unexpected(path: string): CliError {
    return new CliError(`${path} answered in an unexpected shape: is ${url} another version of Mailstream?`);
  }

  function targetOf(path: string, query: Query): URL {
    const target = new URL(path, url);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) target.searchParams.set(name, String(value));
    }
    return target;
  }

  return {
    get(schema, path, query = {}) {
      return call(schema, targetOf(path, query), {});
    },
    async *lines(schema, path, query, signal) {
      const response = await ask(targetOf(path, query), {
        headers: { accept: 'application/x-ndjson, application/json' },
        signal,
      });
      if (!response.ok || !response.body) {
        const failure = refusal(response.status, parseJson(await response.text()));
        throw isPassing(response.status) ? new LostConnectionError(...failure) : new CliError(...failure);
      }
      try {
        for await (const line of createInterface({ input: Readable.fromWeb(response.body) })) {
          const value = parseJson(line);
          if (!Value.Check(schema, value)) throw unexpected(path);
          yield value;
        }
      } catch (error) {
        if (error instanceof CliError) throw error;
        throw new LostConnectionError(`the connection to ${url} was lost`, { cause: error });
      }
    },
    send(schema, method, path, body) {
      const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      return call(schema, new URL(path, url), { method, ...(body !== undefined && json) });
    },
    async redirect(path) {
      const response = await ask(new URL(path, url), { redirect: 'manual' });
      const target = response.headers.get('location');
      if (target !== null) return target;
      throw new CliError(...refusal(response.status, parseJson(await response.text())));
    },
  };
}

function isPassing(status: number): boolean {
  return status === 429 || status >= 500;
}

/** The value, or null when there is none. */
function parseJson(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
}

/** What an error is made of that says why the API refused. */
function refusal(status: number, answer: unknown): [message: string, options: { code: string | null }] {
  if (!Value.Check(ApiError, answer)) return [`the API answered with status ${status}`, { code: null }];
  const { code, message } = answer.error;
  return [`${message} (${code})`, { code }];
}
