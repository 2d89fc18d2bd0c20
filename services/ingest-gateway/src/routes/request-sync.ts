/** `POST /v1/accounts/:id/sync`: somebody says that an account is to be looked at; we put the hint into the log. */
import type { Bus } from '@mailstream/bus';
import { ApiError, SyncAccepted, SyncRequest, subjects } from '@mailstream/contracts';
import { AppError, type HttpServer, messageOf } from '@mailstream/runtime';
import { Type } from 'typebox';

export interface SyncRouteDeps {
  readonly bus: Pick<Bus, 'publish' | 'connected'>;
}

/**
 * Answers 202 only when the hint is on disk. Whether the account exists is not known here (the gateway has no database): a hint for
 * nobody is dropped by the orchestrator. Repeating the request is harmless: hints are coalesced.
 */
export function registerSyncRoute(app: HttpServer, { bus }: SyncRouteDeps): void {
  app.post(
    '/v1/accounts/:id/sync',
    {
      schema: {
        summary: 'Look at an account now',
        tags: ['accounts'],
        params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
        body: Type.Union([SyncRequest, Type.Null()]),
        response: { 202: SyncAccepted, 400: ApiError, 401: ApiError, 503: ApiError },
      },
    },
    async (request, reply) => {
      const at = { tenant: request.principal.tenant, account: request.params.id.toLowerCase() };
      const subject = subjects.hint(at, request.body?.reason ?? 'user');
      // The bus would wait for the connection; a caller is better told at once.
      if (!bus.connected()) throw notStored('not connected to NATS');
      const sequence = await bus.publish({ subject, data: {} }).catch((error: unknown) => {
        throw notStored(messageOf(error), error);
      });
      return reply.status(202).send({ accepted: true, sequence: String(sequence) });
    },
  );
}

function notStored(why: string, cause?: unknown): AppError {
  return new AppError('gateway.hint_not_stored', 'network', `the hint was not stored: ${why}; try again`, {
    cause,
  });
}
