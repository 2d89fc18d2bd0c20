/** `/v1/accounts`: add, list, change, pause, resume and remove accounts, and look at their scopes. */
import { Account, AccountCreate, AccountUpdate, ApiError, pageOf, ScopeStatus } from '@mailstream/contracts';
import type { Tenants } from '@mailstream/db';
import type { HttpServer } from '@mailstream/runtime';
import { Type } from 'typebox';
import type { Accounts } from '../accounts/accounts.ts';
import { loadScopes } from '../accounts/sync-rows.ts';
import { callerOf } from '../audit/caller.ts';
import type { ScopeState } from '../domain/state.ts';

const Id = Type.Object({ id: Type.String({ format: 'uuid' }) });
const tags = ['accounts'];
const errors = { 400: ApiError, 401: ApiError, 404: ApiError };

export function registerAccountRoutes(
  app: HttpServer,
  { accounts, tenants }: { accounts: Accounts; tenants: Tenants },
): void {
  app.get(
    '/v1/accounts',
    {
      config: { scope: 'accounts:read' },
      schema: {
        tags,
        summary: 'All accounts of the tenant',
        response: { 200: pageOf(Account), 401: ApiError },
      },
    },
    async (request) => ({ items: await accounts.list(request.principal.tenant), next: null }),
  );

  app.post(
    '/v1/accounts',
    {
      config: { scope: 'accounts:write' },
      schema: {
        tags,
        summary: 'Connect a mailbox; 200 when it is known to be connected, and got the new credential',
        body: AccountCreate,
        response: { 200: Account, 201: Account, 400: ApiError, 401: ApiError },
      },
    },
    async (request, reply) => {
      const { account, added } = await accounts.create(callerOf(request), request.body);
      return reply.status(added ? 201 : 200).send(account);
    },
  );

  app.get(
    '/v1/accounts/:id',
    {
      config: { scope: 'accounts:read' },
      schema: { tags, summary: 'One account', params: Id, response: { 200: Account, ...errors } },
    },
    (request) => accounts.get({ tenant: request.principal.tenant, account: request.params.id }),
  );

  app.patch(
    '/v1/accounts/:id',
    {
      config: { scope: 'accounts:write' },
      schema: {
        tags,
        summary: 'New name, settings or credentials; ids and cursors stay',
        params: Id,
        body: AccountUpdate,
        response: { 200: Account, ...errors },
      },
    },
    (request) => accounts.update(callerOf(request), request.params.id, request.body),
  );

  app.delete(
    '/v1/accounts/:id',
    {
      config: { scope: 'accounts:write' },
      schema: {
        tags,
        summary:
          'Remove an account and all that is here of it; `removal` says how far that is, and in the end there is no such account',
        params: Id,
        response: { 202: Account, ...errors },
      },
    },
    async (request, reply) => {
      const account = await accounts.remove(callerOf(request), request.params.id);
      return reply.status(202).send(account);
    },
  );

  for (const verb of ['pause', 'resume'] as const) {
    app.post(
      `/v1/accounts/:id/${verb}`,
      {
        config: { scope: 'accounts:write' },
        schema: {
          tags,
          summary: `${verb === 'pause' ? 'Stop' : 'Go on'} fetching`,
          params: Id,
          response: { 200: Account, ...errors },
        },
      },
      (request) => accounts[verb](callerOf(request), request.params.id),
    );
  }

  app.get(
    '/v1/accounts/:id/scopes',
    {
      config: { scope: 'accounts:read' },
      schema: {
        tags,
        summary: 'How far each mailbox is',
        params: Id,
        response: { 200: pageOf(ScopeStatus), ...errors },
      },
    },
    async (request) => {
      const { tenant } = request.principal;
      const account = await accounts.get({ tenant, account: request.params.id });
      const scopes = (await loadScopes(tenants.of(tenant), [account.id])).get(account.id);
      return { items: [...(scopes?.values() ?? [])].map(toStatus), next: null };
    },
  );
}

function toStatus(scope: ScopeState): ScopeStatus {
  return {
    scope: scope.scope,
    path: scope.path,
    inFlight: scope.inFlight !== null,
    backfilled: scope.backfilled,
    estimate: scope.estimate,
    importEndsAt: scope.importEndsAt?.toISOString() ?? null,
    cursorAt: scope.cursorAt?.toISOString() ?? null,
    checkedAt: scope.checkedAt?.toISOString() ?? null,
    failure: scope.failure && {
      failure: scope.failure.failure,
      code: scope.failure.code,
      message: scope.failure.message,
      at: scope.failure.at.toISOString(),
      attempts: scope.attempts,
      retryAt: scope.retryAt?.toISOString() ?? null,
    },
  };
}
