/** `/v1/parked`: what could not be used, to be looked at, put back or dropped by an administrator of the tenant. */
import type { Bus } from '@mailstream/bus';
import { ApiError, ParkedEvent, ParkedRetried, pageOf, tenantOf } from '@mailstream/contracts';
import type { Tenants } from '@mailstream/db';
import { AppError, type HttpServer } from '@mailstream/runtime';
import { Type } from 'typebox';
import { callerOf } from '../audit/caller.ts';
import { type Caller, recordDeed } from '../audit/trail.ts';
import { findLetter, listLetters } from '../parked/letters.ts';
import { putBack } from '../parked/put-back.ts';

const DEFAULT_LIMIT = 50;
const tags = ['parked'];
const config = { scope: 'admin' } as const;
const params = Type.Object({ id: ParkedEvent.properties.id });
const errors = { 400: ApiError, 401: ApiError, 404: ApiError, 409: ApiError };

export function registerParkedRoutes(
  app: HttpServer,
  { bus, tenants }: { bus: Bus; tenants: Tenants },
): void {
  async function find(tenant: string, id: string): Promise<ParkedEvent> {
    const letter = await findLetter(bus, tenant, id);
    if (letter) return letter;
    throw new AppError('parked.unknown', 'not_found', `nothing is parked under ${id}`);
  }

  /** What names no tenant is for whoever runs the installation: no tenant may take it from the others' sight. */
  async function findOwn({ tenant }: Caller, id: string): Promise<ParkedEvent> {
    const letter = await find(tenant, id);
    if (tenantOf(letter.subject) === tenant) return letter;
    throw new AppError('parked.nobodys', 'conflict', 'it names no tenant: it ends by itself after 30 days');
  }

  /** Before it is done: what NATS is told is in no transaction, so the row may tell of what failed, but nothing is done without it. */
  const record = (by: Caller, action: 'parked.retried' | 'parked.dropped', letter: ParkedEvent) => {
    const { id, stream, sequence, subject, reason } = letter;
    const account = UUID.exec(subject)?.[0];
    const detail = { id, stream, sequence, subject, reason };
    return recordDeed(tenants.of(by.tenant), by, {
      action,
      detail,
      ...(account !== undefined && { account }),
    });
  };

  app.get(
    '/v1/parked',
    {
      config,
      schema: {
        tags,
        summary: 'What could not be used, newest first; without content what names no tenant',
        querystring: Type.Object(
          {
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: DEFAULT_LIMIT })),
            after: Type.Optional(
              Type.String({ pattern: '^[0-9]{1,16}$', description: '`next` of the page before.' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: pageOf(ParkedEvent), 400: ApiError, 401: ApiError },
      },
    },
    async (request) => {
      const { limit = DEFAULT_LIMIT, after } = request.query;
      const before = after === undefined ? null : BigInt(after);
      const { items, next } = await listLetters(bus, request.principal.tenant, { before, limit });
      return { items, next: next === null ? null : String(next) };
    },
  );

  app.get(
    '/v1/parked/:id',
    { config, schema: { tags, summary: 'One of them', params, response: { 200: ParkedEvent, ...errors } } },
    (request) => find(request.principal.tenant, request.params.id),
  );

  app.post(
    '/v1/parked/:id/retry',
    {
      config,
      schema: { tags, summary: 'Put it back', params, response: { 200: ParkedRetried, ...errors } },
    },
    async (request) => {
      const caller = callerOf(request);
      const letter = await findOwn(caller, request.params.id);
      await record(caller, 'parked.retried', letter);
      const retried = await putBack({ bus, db: tenants.of(caller.tenant) }, letter);
      if (retried.outcome !== 'asked') await bus.remove('DEAD', BigInt(letter.id));
      return retried;
    },
  );

  app.delete(
    '/v1/parked/:id',
    { config, schema: { tags, summary: 'Drop it', params, response: { 204: Type.Null(), ...errors } } },
    async (request, reply) => {
      const caller = callerOf(request);
      const letter = await findOwn(caller, request.params.id);
      await record(caller, 'parked.dropped', letter);
      await bus.remove('DEAD', BigInt(letter.id));
      return reply.status(204).send(null);
    },
  );
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
