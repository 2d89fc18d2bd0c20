/** The REST API as the commands call it. */
import { ApiError } from '@mailstream/contracts';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { CliError } from './errors.ts';
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
  /** Where the API sends a browser. */
  redirect(path: string): Promise<string>;
}

export function createApi({ url, token }: Pick<Stack, 'url' | 'token'>): Api {
  async function ask(target: URL, init: RequestInit): Promise<Response> {
    const headers = { ...init.headers, authorization: `Bearer ${token}` };
    return fetch(target, { ...init, headers }).catch((error: unknown) => {
      throw new CliError(`nobody answers at ${url}: start Mailstream with \`npm start\``, { cause: error });
    });
  }

  async function call<T extends TSchema>(schema: T, target: URL, init: RequestInit): Promise<Static<T>> {
    const response = await ask(target, init);
    const answer = parseJson(await response.text());
    if (!response.ok) throw new CliError(describeFailure(response.status, answer));
    if (!Value.Check(schema, answer))
      throw new CliError(
        `${target.pathname} answered in an unexpected shape: is ${url} another version of Mailstream?`,
      );
    return answer;
  }
  return {
    get(schema, path, query = {}) {
      const target = new URL(path, url);
      for (const [name, value] of Object.entries(query)) {
        if (value !== undefined) target.searchParams.set(name, String(value));
      }
      return call(schema, target, {});
    },
    send(schema, method, path, body) {
      const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      return call(schema, new URL(path, url), { method, ...(body !== undefined && json) });
    },
    async redirect(path) {
      const response = await ask(new URL(path, url), { redirect: 'manual' });
      const target = response.headers.get('location');
      if (target !== null) return target;
      throw new CliError(describeFailure(response.status, parseJson(await response.text())));
    },
  };
}

/** The value, or null when there is none. */
function parseJson(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
}

function describeFailure(status: number, answer: unknown): string {
  if (!Value.Check(ApiError, answer)) return `the API answered with status ${status}`;
  return `${answer.error.message} (${answer.error.code})`;
}
