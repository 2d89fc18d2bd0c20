/** `/v1/messages/:id/history`: the facts that made a message what it is, oldest first. */
import type { Bus } from '@mailstream/bus';
import { ApiError, HistoryPage } from '@mailstream/contracts';
import type { Tenants } from '@mailstream/db';
import { AppError, type HttpServer } from '@mailstream/runtime';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { findTraced, type HistoryPlace, readHistory } from '../history/read-history.ts';

const DEFAULT_LIMIT = 100;
const MAX_PLACE = 16_384;

const Place = Type.Object({
  after: Type.String({ pattern: '^[0-9]{1,16}$' }),
  held: Type.Array(
    Type.Object({
      mailbox: Type.String(),
      generation: Type.String(),
      id: Type.String(),
      flags: Type.Union([Type.Null(), Type.Array(Type.String())]),
    }),
  ),
});
const place = Compile(Place);

export function registerHistoryRoute(
  app: HttpServer,
  { bus, tenants }: { bus: Pick<Bus, 'at' | 'state' | 'last' | 'read'>; tenants: Tenants },
): void {
  app.get(
    '/v1/messages/:id/history',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags: ['messages'],
        summary: 'The facts of the log that made a message what it is, oldest first',
        params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
        querystring: Type.Object(
          {
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: DEFAULT_LIMIT })),
            after: Type.Optional(
              Type.String({ maxLength: MAX_PLACE, description: '`next` of the page before.' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: HistoryPage, 400: ApiError, 401: ApiError, 404: ApiError },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { limit = DEFAULT_LIMIT, after } = request.query;
      const { tenant } = request.principal;
      const message = await findTraced(tenants.of(tenant), tenant, id);
      if (!message) throw new AppError('api.no_message', 'not_found', `there is no message ${id}`);
      const { next, ...page } = await readHistory(bus, tenant, message, { place: placeOf(after), limit });
      return { ...page, next: next && tokenOf(next) };
    },
  );
}

function tokenOf({ after, held }: HistoryPlace): string {
  const value = { after: String(after), held };
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function placeOf(token: string | undefined): HistoryPlace | null {
  if (token === undefined) return null;
  const value = parse(Buffer.from(token, 'base64url').toString('utf8'));
  if (place.Check(value)) return { ...(value satisfies Static<typeof Place>), after: BigInt(value.after) };
  throw new AppError('api.bad_cursor', 'invalid', '`after` is not the `next` of a page of this list');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
