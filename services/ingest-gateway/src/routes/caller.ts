/** `GET /v1/caller`: for programs that are given a token or API key and must know which tenant it is for. */
import { ApiError, Caller } from '@mailstream/contracts';
import type { HttpServer } from '@mailstream/runtime';

export function registerCallerRoute(app: HttpServer): void {
  app.get(
    '/v1/caller',
    {
      config: { scope: 'any' },
      schema: {
        summary: 'Who calls: the tenant and the scopes of this token or API key',
        tags: ['caller'],
        response: { 200: Caller, 401: ApiError },
      },
    },
    async ({ principal: { tenant, subject, scopes } }) => ({ tenant, subject, scopes: [...scopes] }),
  );
}
