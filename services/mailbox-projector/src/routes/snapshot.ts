/** `/v1/snapshot`: all that is there, and where the change stream goes on after it. */
import type { Bus } from '@mailstream/bus';
import { ApiError, isToken, isUuid, SnapshotPage } from '@mailstream/contracts';
import type { Tenants } from '@mailstream/db';
import { AppError, type HttpServer } from '@mailstream/runtime';
import { Type } from 'typebox';
import { readSnapshotPart, readVersions, type SnapshotPlace } from '../snapshot.ts';
import { findAccounts } from './find-account.ts';

const MAX_LIMIT = 500;

const Query = Type.Object(
  {
    account: Type.Optional(Type.String({ description: 'Default: all accounts of the tenant.' })),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_LIMIT,
        default: MAX_LIMIT,
        description: 'Messages on a page.',
      }),
    ),
    after: Type.Optional(Type.String({ maxLength: 200, description: '`next` of the page before.' })),
  },
  { additionalProperties: false },
);

export function registerSnapshotRoutes(
  app: HttpServer,
  { bus, tenants }: { bus: Bus; tenants: Tenants },
): void {
  app.get(
    '/v1/snapshot',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags: ['snapshot'],
        summary: 'All that is there, and where the change stream goes on after it',
        querystring: Query,
        response: { 200: SnapshotPage, 400: ApiError, 401: ApiError, 404: ApiError, 503: ApiError },
      },
    },
    async (request) => {
      const { account, after, limit = MAX_LIMIT } = request.query;
      const place = placeOf(after);
      // Before the view is looked at: what was told by then is in it.
      const { created: stream, last } = await bus.state('CHANGES');
      const { tenant } = request.principal;
      return await tenants.of(tenant).tx(async (tx) => {
        const accounts = (await findAccounts(tx, tenant, account)).sort();
        const versions = await readVersions(tx);
        const part = await readSnapshotPart(tx, accounts, versions, place, limit);
        const named = { stream, sequence: String(last) };
        if (!part)
          return {
            ...named,
            ...{ account: null, version: '0', accounts: [], mailboxes: [], messages: [] },
            ...{ through: null, next: null },
          };
        const following = accounts.find((each) => each > part.account);
        const next =
          part.through === null ? following && tokenOf(following) : tokenOf(part.account, part.through);
        return { ...named, ...part, version: String(part.version), next: next ?? null };
      }, 'snapshot');
    },
  );
}

function tokenOf(account: string, message = ''): string {
  return Buffer.from(`${account} ${message}`).toString('base64url');
}

/** Throws `api.bad_cursor` for what was no `next` of ours. */
function placeOf(after: string | undefined): SnapshotPlace | null {
  if (after === undefined) return null;
  const [account = '', message = '', ...rest] = Buffer.from(after, 'base64url').toString('utf8').split(' ');
  if (!isToken(account) || (message !== '' && !isUuid(message)) || rest.length > 0)
    throw new AppError('api.bad_cursor', 'invalid', '`after` is not the `next` of a page of this list');
  return { account, message: message === '' ? null : message };
}
