/** The API of the services behind the gateway: the same paths, passed on as they are. */
import proxy, { type FastifyHttpProxyOptions } from '@fastify/http-proxy';
import {
  AppError,
  CLIENT_IP_HEADER,
  type HttpServer,
  REQUEST_ID_HEADER,
  traceHeadersOf,
} from '@mailstream/runtime';
import type { Upstreams } from '../config.ts';

/** Who serves what. Each stands for the path itself and everything below it. */
const PATHS: Readonly<Record<keyof Upstreams, readonly string[]>> = {
  orchestrator: [
    '/v1/accounts',
    '/v1/api-keys',
    '/v1/connect',
    '/v1/status',
    '/v1/doctor',
    '/v1/keys',
    '/v1/audit',
    '/v1/webhook-endpoints',
    '/v1/parked',
  ],
  projector: [
    '/v1/changes',
    '/v1/messages',
    '/v1/threads',
    '/v1/mailboxes',
    '/v1/past',
    '/v1/runs',
    '/v1/snapshot',
    '/v1/projection',
  ],
};

/** For everybody: browsers come back here, and have no token. */
const OPEN: Readonly<Record<keyof Upstreams, readonly string[]>> = {
  orchestrator: ['/v1/connect/:provider/callback'],
  projector: [],
};

/** Names of the services as operators know them. */
const SERVICE_NAMES: Readonly<Record<keyof Upstreams, string>> = {
  orchestrator: 'sync-orchestrator',
  projector: 'mailbox-projector',
};

/** Whether the gateway passes a path on to this service. */
export function isServedBy(upstream: keyof Upstreams, path: string): boolean {
  return PATHS[upstream].some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}

/** How long a service may take to answer, and to go on with an answer, milliseconds: longer than the pauses between signs of life of `/v1/changes`. */
const TIMEOUT_MS = 30_000;

/** A read is asked again so often, after so many milliseconds. */
const TRIES = 3;
const RETRY_MS = 10;

/**
 * Whether the connection went before an answer came, as those do that a service closes when it stops: another replica is behind the next one.
 * An answer is an answer: of 503 the caller is to know why, not to wait.
 */
function isLost(error: unknown): boolean {
  return error instanceof Error && 'code' in error && LOST.has(error.code);
}
const LOST = new Set<unknown>(['UND_ERR_SOCKET', 'ECONNRESET', 'ECONNREFUSED', 'EPIPE']);

/** Every call that is not open is authenticated here and, because the header is passed on, by the service again, which also checks its scope. */
export async function registerProxyRoutes(app: HttpServer, upstreams: Upstreams): Promise<void> {
  await app.register((scope, _options, done) => {
    // What these routes are, the services say themselves.
    scope.addHook('onRoute', (route) => {
      route.schema = { hide: true };
      const open = Object.values(OPEN).flat().includes(route.url);
      // Which scope is needed, the service behind knows, and checks.
      route.config = { ...route.config, ...(open ? { open } : { scope: 'any' }) };
    });
    for (const name of ['orchestrator', 'projector'] as const)
      scope.register(proxy, proxyTo(name, upstreams[name]));
    done();
  });
}

function proxyTo(name: keyof Upstreams, upstream: string): FastifyHttpProxyOptions {
  return {
    upstream,
    prefix: '/v1',
    rewritePrefix: '/v1',
    routes: [...PATHS[name].flatMap((path) => [path, `${path}/*`]), ...OPEN[name]].map((path) =>
      path.slice('/v1'.length),
    ),
    // Parsed here, so that the limit on a body's size holds before anything reaches the service.
    proxyPayloads: false,
    disableRequestLogging: true,
    replyOptions: {
      timeout: TIMEOUT_MS,
      rewriteRequestHeaders: (request, headers) => ({
        ...headers,
        ...traceHeadersOf(request),
        [CLIENT_IP_HEADER]: request.ip,
        [REQUEST_ID_HEADER]: request.id,
      }),
      retryDelay: ({ err, req, attempt }) =>
        req.method === 'GET' && attempt < TRIES && isLost(err) ? RETRY_MS : null,
      onError: (reply, { error }) => {
        reply.send(upstreamError(SERVICE_NAMES[name], error));
      },
    },
  };
}

function upstreamError(service: string, error: Error): AppError {
  const late = 'statusCode' in error && error.statusCode === 504;
  return late
    ? new AppError('gateway.upstream_timeout', 'timeout', `the ${service} did not answer in time`, {
        cause: error,
      })
    : new AppError(
        'gateway.upstream_unreachable',
        'network',
        `the ${service} does not answer; is it running? (its /readyz says so)`,
        { cause: error },
      );
}
