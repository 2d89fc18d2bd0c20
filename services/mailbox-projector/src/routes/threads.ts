/** `/v1/threads`: conversations, the one with the latest message first, and one by its id. */
import { ApiError, pageOf, ThreadView } from '@mailstream/contracts';
import type { Tenants } from '@mailstream/db';
import { AppError, type HttpServer } from '@mailstream/runtime';
import { Type } from 'typebox';
import { listThreads, readThread } from '../projections/threads/read.ts';
import { findAccounts } from './find-account.ts';
import { DEFAULT_LIMIT, PageQuery, pageFrom, placeOf } from './paging.ts';

const tags = ['threads'];
const errors = { 400: ApiError, 401: ApiError, 404: ApiError };

export function registerThreadRoutes(app: HttpServer, tenants: Tenants): void {
  app.get(
    '/v1/threads',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        summary: 'Threads, the one with the latest message first',
        querystring: Type.Object(
          { account: Type.Optional(Type.String()), ...PageQuery },
          { additionalProperties: false },
        ),
        response: { 200: pageOf(ThreadView), ...errors },
      },
    },
    async (request) => {
      const { account, after, limit = DEFAULT_LIMIT } = request.query;
      const place = placeOf(after);
      const { tenant } = request.principal;
      const rows = await tenants
        .of(tenant)
        .tx(async (tx) => listThreads(tx, await findAccounts(tx, tenant, account), place, limit + 1));
      return pageFrom(rows, limit, ({ lastAt, id }) => ({ time: lastAt, id }));
    },
  );

  app.get(
    '/v1/threads/:id',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        summary: 'One thread; its messages are at /v1/messages?thread=',
        params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
        response: { 200: ThreadView, ...errors },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { tenant } = request.principal;
      const thread = await readThread(tenants.of(tenant), tenant, id);
      if (!thread) throw new AppError('api.no_thread', 'not_found', `there is no thread ${id}`);
      await findAccounts(tenants.of(tenant), tenant, thread.account);
      return thread;
    },
  );
}
