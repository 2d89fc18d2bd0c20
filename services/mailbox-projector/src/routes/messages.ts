/** `/v1/messages`: the messages of the view, newest first, and one by its id. */
import { ApiError, MessageView, pageOf } from '@mailstream/contracts';
import type { Tenants } from '@mailstream/db';
import { AppError, type HttpServer } from '@mailstream/runtime';
import { Type } from 'typebox';
import { listMessages, readMessages } from '../projections/messages/read.ts';
import { findAccounts } from './find-account.ts';
import { DEFAULT_LIMIT, PageQuery, pageFrom, placeOf } from './paging.ts';

const Filter = Type.Object(
  {
    account: Type.Optional(Type.String({ description: 'Default: all accounts of the tenant.' })),
    mailbox: Type.Optional(Type.String({ description: 'Key, path or role of a mailbox.' })),
    unread: Type.Optional(Type.Boolean()),
    flagged: Type.Optional(Type.Boolean()),
    from: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'Part of a name or address in From.' }),
    ),
    text: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'Part of From, subject or snippet.' }),
    ),
    thread: Type.Optional(Type.String({ format: 'uuid' })),
    ...PageQuery,
  },
  { additionalProperties: false },
);
const tags = ['messages'];
const errors = { 400: ApiError, 401: ApiError, 404: ApiError };

export function registerMessageRoutes(app: HttpServer, tenants: Tenants): void {
  app.get(
    '/v1/messages',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        summary: 'Messages, newest first',
        querystring: Filter,
        response: { 200: pageOf(MessageView), ...errors },
      },
    },
    async (request) => {
      const { account, after, limit = DEFAULT_LIMIT, ...filter } = request.query;
      const place = placeOf(after);
      const { tenant } = request.principal;
      const rows = await tenants.of(tenant).tx(async (tx) => {
        const accounts = await findAccounts(tx, tenant, account);
        return listMessages(tx, { ...filter, accounts, after: place, limit: limit + 1 });
      });
      return pageFrom(rows, limit, ({ receivedAt, id }) => ({ time: receivedAt, id }));
    },
  );

  app.get(
    '/v1/messages/:id',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        summary: 'One message',
        params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
        response: { 200: MessageView, ...errors },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { tenant } = request.principal;
      const [found] = await readMessages(tenants.of(tenant), [id]);
      if (found?.tenant !== tenant)
        throw new AppError('api.no_message', 'not_found', `there is no message ${id}`);
      await findAccounts(tenants.of(tenant), tenant, found.view.account);
      return found.view;
    },
  );
}
