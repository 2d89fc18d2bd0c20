/** What a caller needs for each route: declared with the route, checked before anything else of the request is read. */
import type { Scope } from '@mailstream/contracts';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { AppError } from '../errors.ts';
import type { Authenticate } from './authenticate.ts';
import { authorizationOf } from './authorization.ts';
import type { Principal } from './principal.ts';
import { lacksScope } from './refusals.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; set for every route that declares a scope. */
    principal: Principal;
  }
  interface FastifyContextConfig {
    /** What callers must be allowed to; `any`: it is enough to be a caller. */
    scope?: Scope | 'any';
    /** Answers anybody, without a token. */
    open?: boolean;
    /** False: never too often. */
    limited?: boolean;
  }
  interface FastifyInstance {
    /** All routes, for tests that try every one. */
    declaredRoutes: readonly RouteOptions[];
  }
}

/** Throws when this is one call too many. `principal` is null when nobody was recognised, or nobody had to be. */
export type Admit = (request: FastifyRequest, principal: Principal | null) => void;

/** What a person may see in a browser or a probe may ask is outside of these. */
function isGuarded(url: string): boolean {
  return url === '/metrics' || url === '/v1' || url.startsWith('/v1/');
}

/**
 * Sets `request.principal`, or answers 401 or 403. A server with a guarded route that declares neither a scope nor `open` does not start:
 * forgetting it must not make it open.
 */
export function registerAccess(app: FastifyInstance, authenticate: Authenticate, admit: Admit): void {
  const routes: RouteOptions[] = [];
  app.decorate('declaredRoutes', routes);
  app.addHook('onRoute', (route) => {
    routes.push(route);
    const scope = route.config?.scope;
    // For the OpenAPI document.
    if (scope !== undefined && scope !== 'any')
      route.schema = { ...route.schema, security: [{ token: [scope] }] };
  });
  // Not when they are registered: the hooks of plugins may still declare it.
  app.addHook('onReady', async () => {
    const undeclared = routes.find(({ url, config }) => isGuarded(url) && !config?.open && !config?.scope);
    if (undeclared)
      throw new Error(
        `the route ${undeclared.method} ${undeclared.url} declares neither a scope nor that it is open`,
      );
  });

  app.decorateRequest('principal', { getter: nobody });
  app.addHook('onRequest', async (request) => {
    const { limited = true } = request.routeOptions.config;
    const principal = await identify(request, authenticate).catch((error: unknown) => {
      if (limited) admit(request, null);
      throw error;
    });
    if (limited) admit(request, principal);
    if (principal) Object.defineProperty(request, 'principal', { value: principal });
  });
}

/** By the route and not by what was asked for, which may be spelt in several ways. */
async function identify(
  { routeOptions: { config }, headers }: FastifyRequest,
  authenticate: Authenticate,
): Promise<Principal | null> {
  const { scope, open } = config;
  if (open || scope === undefined) return null;
  const principal = await authenticate(authorizationOf(headers));
  if (scope !== 'any' && !principal.scopes.includes(scope)) throw lacksScope(scope);
  return principal;
}

function nobody(): Principal {
  throw new AppError(
    'auth.missing',
    'auth',
    'this route has no caller: only routes with a scope are authenticated',
  );
}
