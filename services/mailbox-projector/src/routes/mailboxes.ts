/** `/v1/mailboxes` and `/v1/runs`: what an account has, and how it was read lately. */
import { ApiError, MailboxView, pageOf, SyncRunView } from '@mailstream/contracts';
import type { Tenants } from '@mailstream/db';
import type { HttpServer } from '@mailstream/runtime';
import { type TSchema, Type } from 'typebox';
import { listRuns } from '../projections/cursors/read.ts';
import { listMailboxes } from '../projections/mailboxes/queries.ts';
import { findAccounts } from './find-account.ts';

const OfAccount = Type.Object({ account: Type.Optional(Type.String()) }, { additionalProperties: false });
const answers = <T extends TSchema>(item: T) => ({
  200: pageOf(item),
  400: ApiError,
  401: ApiError,
  404: ApiError,
});

export function registerMailboxRoutes(app: HttpServer, tenants: Tenants): void {
  app.get(
    '/v1/mailboxes',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags: ['mailboxes'],
        summary: 'Mailboxes, by path',
        querystring: OfAccount,
        response: answers(MailboxView),
      },
    },
    async ({ principal: { tenant }, query }) => {
      const items = await tenants
        .of(tenant)
        .tx(async (tx) => listMailboxes(tx, await findAccounts(tx, tenant, query.account)));
      return { items, next: null };
    },
  );

  app.get(
    '/v1/runs',
    {
      config: { scope: 'accounts:read' },
      schema: {
        tags: ['runs'],
        summary: 'The last runs of each scope, latest first',
        querystring: OfAccount,
        response: answers(SyncRunView),
      },
    },
    async ({ principal: { tenant }, query }) => {
      const items = await tenants
        .of(tenant)
        .tx(async (tx) => listRuns(tx, await findAccounts(tx, tenant, query.account)));
      return { items, next: null };
    },
  );
}
