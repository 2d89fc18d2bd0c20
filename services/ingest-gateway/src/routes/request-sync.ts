/** `POST /v1/accounts/:id/sync`: somebody says that an account is to be looked at; we put the hint into the log. */
import { ApiError, SyncAccepted, SyncRequest, subjects } from '@mailstream/contracts';
import type { HttpServer } from '@mailstream/runtime';
import { Type } from 'typebox';
import type { PutHint } from '../hints.ts';

/**
 * Answers 202 only when the hint is on disk. Whether the account exists is not known here (the gateway has no database): a hint for
 * nobody is dropped by the orchestrator. Repeating the request is harmless: hints are coalesced.
 */
export function registerSyncRoute(app: HttpServer, putHint: PutHint): void {
  app.post(
    '/v1/accounts/:id/sync',
    {
      config: { scope: 'sync:write' },
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
      const sequence = await putHint(subjects.hint(at, request.body?.reason ?? 'user'));
      return reply.status(202).send({ accepted: true, sequence: String(sequence) });
    },
  );
}
