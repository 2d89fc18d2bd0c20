/** `/v1/audit`: who did what in the tenant, when, from where. */
import { ApiError, AuditAction, AuditEntry, pageOf } from '@mailstream/contracts';
import type { Tenants } from '@mailstream/db';
import type { HttpServer } from '@mailstream/runtime';
import { Type } from 'typebox';
import { readTrail } from '../audit/trail.ts';

const DEFAULT_LIMIT = 50;

export function registerAuditRoute(app: HttpServer, { tenants }: { tenants: Tenants }): void {
  app.get(
    '/v1/audit',
    {
      config: { scope: 'admin' },
      schema: {
        tags: ['audit'],
        summary: 'The audit trail of the tenant, newest first',
        querystring: Type.Object(
          {
            account: Type.Optional(Type.String({ format: 'uuid' })),
            action: Type.Optional(AuditAction),
            actor: Type.Optional(Type.String({ maxLength: 200 })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: DEFAULT_LIMIT })),
            after: Type.Optional(Type.String({ format: 'uuid', description: '`next` of the page before.' })),
          },
          { additionalProperties: false },
        ),
        response: { 200: pageOf(AuditEntry), 400: ApiError, 401: ApiError },
      },
    },
    async (request) => {
      const { limit = DEFAULT_LIMIT, ...query } = request.query;
      const { tenant } = request.principal;
      const found = await readTrail(tenants.of(tenant), tenant, { ...query, limit: limit + 1 });
      const items = found.slice(0, limit);
      return { items, next: found.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
  );
}
