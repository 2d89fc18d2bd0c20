/** Calls every route of a service as callers that must not get through. */
import { isScope, SCOPES } from '@mailstream/contracts';
import type { HttpServer } from '@mailstream/runtime';
import { tokenOf } from './callers.ts';

export interface WalkedRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With its parameters' names. */
  readonly url: string;
  /** `open` for routes that answer anybody. */
  readonly needs: string;
  readonly withoutToken: number;
  /** With every scope but its own; null where any scope will do. */
  readonly withOtherScopes: number | null;
}

const METHODS = ['GET', 'POST', 'PATCH', 'DELETE'] as const;

/** All that stand under `/v1`, and `/metrics`; `pathOf` puts values in place of parameters. */
export async function walkRoutes(
  app: HttpServer,
  pathOf: (url: string) => string,
): Promise<readonly WalkedRoute[]> {
  await app.ready();
  const walked: WalkedRoute[] = [];
  for (const { url, method, config } of app.declaredRoutes) {
    if (!(url.startsWith('/v1/') || url === '/metrics')) continue;
    const needs = config?.open ? 'open' : String(config?.scope);
    for (const verb of METHODS.filter((verb) => [method].flat().includes(verb))) {
      const request = { method: verb, url: pathOf(url) };
      const without = await app.inject(request);
      walked.push({
        method: verb,
        url,
        needs,
        withoutToken: without.statusCode,
        withOtherScopes: isScope(needs) ? await statusWithout(app, request, needs) : null,
      });
    }
  }
  return walked;
}

async function statusWithout(
  app: HttpServer,
  request: { readonly method: WalkedRoute['method']; readonly url: string },
  scope: string,
): Promise<number> {
  const token = await tokenOf({ scopes: SCOPES.filter((other) => other !== scope) });
  const headers = { authorization: `Bearer ${token}` };
  return (await app.inject({ ...request, headers })).statusCode;
}
