/** `/v1/api-keys`: keys for machines, made, listed and revoked by an administrator of the tenant. */
import { ApiError, ApiKey, ApiKeyCreate, ApiKeyCreated, pageOf } from '@mailstream/contracts';
import type { HttpServer } from '@mailstream/runtime';
import { Type } from 'typebox';
import type { ApiKeys } from '../api-keys/api-keys.ts';
import { callerOf } from '../audit/caller.ts';

const tags = ['api keys'];
const config = { scope: 'admin' } as const;

export function registerApiKeyRoutes(app: HttpServer, { apiKeys }: { apiKeys: ApiKeys }): void {
  app.get(
    '/v1/api-keys',
    {
      config,
      schema: {
        tags,
        summary: 'API keys that are not revoked',
        response: { 200: pageOf(ApiKey), 401: ApiError },
      },
    },
    async (request) => ({ items: await apiKeys.list(request.principal.tenant), next: null }),
  );

  app.post(
    '/v1/api-keys',
    {
      config,
      schema: {
        tags,
        summary: 'Make an API key; it is shown this once',
        body: ApiKeyCreate,
        response: { 201: ApiKeyCreated, 400: ApiError, 401: ApiError },
      },
    },
    async (request, reply) => reply.status(201).send(await apiKeys.create(callerOf(request), request.body)),
  );

  app.delete(
    '/v1/api-keys/:prefix',
    {
      config,
      schema: {
        tags,
        summary: 'Revoke an API key: within five seconds no service takes it any more',
        params: Type.Object({ prefix: Type.String({ pattern: '^[0-9a-f]{12}$' }) }),
        response: { 204: Type.Null(), 400: ApiError, 401: ApiError, 404: ApiError },
      },
    },
    async (request, reply) => {
      await apiKeys.revoke(callerOf(request), request.params.prefix);
      return reply.status(204).send(null);
    },
  );
}
