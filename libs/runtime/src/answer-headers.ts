/** Headers that every answer of an API has: what it is, and that nobody on the way keeps it. */
import type { FastifyInstance } from 'fastify';

/** A year, as browsers ask for before they remember it for good. */
const HSTS = 'max-age=31536000; includeSubDomains';

export function registerAnswerHeaders(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    // Mail is nobody else's, and what is told of an account is true for a moment only.
    if (!reply.hasHeader('cache-control') && request.routeOptions.config.scope !== undefined)
      reply.header('cache-control', 'no-store');
    if (request.protocol === 'https') reply.header('strict-transport-security', HSTS);
  });
}
