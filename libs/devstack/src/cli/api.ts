/** The REST API as the commands call it. */
import { CliError } from './command.ts';
import type { Stack } from './stack.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Throws `CliError` with what the API said, or that nobody is there. */
export interface Api {
  get<T>(path: string, query?: Query): Promise<T>;
  send<T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T>;
}

export function createApi({ url, token }: Pick<Stack, 'url' | 'token'>): Api {
  async function call(method: string, path: string, query: Query, body?: unknown) {
    const target = new URL(path, url);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) target.searchParams.set(name, String(value));
    }
    const response = await fetch(target, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new CliError(`nobody answers at ${url}: start Mailstream with \`npm start\``, { cause: error });
    });
    const text = await response.text();
    const answer = parseJson(text);
    if (!response.ok) throw new CliError(describeError(response.status, answer));
    return answer;
  }
  return {
    get: (path, query = {}) => call('GET', path, query),
    send: (method, path, body) => call(method, path, {}, body),
  };
}
