/** The HTTP server every service starts from: health, authentication, one error body, OpenAPI. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import fastifyCors from '@fastify/cors';
import fastifySwagger from '@fastify/swagger';
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  type RawServerDefault,
} from 'fastify';
import { Type } from 'typebox';
import { registerAnswerHeaders } from './answer-headers.ts';
import { type Admit, registerAccess } from './auth/access.ts';
import type { Authenticate } from './auth/authenticate.ts';
import { AppError, type ErrorClass } from './errors.ts';
import { HttpError } from './http-error.ts';
import type { Logger } from './log.ts';
import { findNul } from './nul.ts';
import { requestIdOf } from './request-origin.ts';
import { registerSpans } from './telemetry/http-spans.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { firstProblem } from './validation.ts';

export type HttpServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export interface HttpDeps {
  readonly title: string;
  readonly logger: Logger;
  readonly authenticate: Authenticate;
  /** Whether the service can do its work now; `/readyz` says so. */
  readonly ready: () => boolean | Promise<boolean>;
  /** Whether its loops go on; `/livez` says so. */
  readonly alive?: () => boolean;
  /** Served at `/openapi.json`; left out, what this server's own routes say. */
  readonly openApi?: object;
  /** What `/metrics` tells; the path is not there without. */
  readonly metrics?: Metrics;
  /** Largest request body, bytes. */
  readonly bodyLimit?: number;
  /** Asked about each request once it is known who calls. */
  readonly admit?: Admit;
  /** Addresses and networks of proxies whose word about the client's address and protocol is taken. */
  readonly trustedProxies?: readonly string[];
  /** Whether `/v1` answers only what came by https, as far as we or a trusted proxy can tell. */
  readonly httpsOnly?: boolean;
  /** Connections at a time; more are closed at once. */
  readonly maxConnections?: number;
  /** Milliseconds until a request must have told its headers, and all of itself; tests make them small. */
  readonly patience?: { readonly headersMs: number; readonly requestMs: number };
  /** Which requests may become something else than HTTP, such as a WebSocket; none when absent. The others are answered as if they had not asked. */
  readonly upgrades?: (request: IncomingMessage) => boolean;
  /** Origins whose pages may call from a browser. */
  readonly corsOrigins?: readonly string[];
}

const PATIENCE = { headersMs: 10_000, requestMs: 30_000 };

const STATUS: Record<ErrorClass, number> = {
  invalid: 400,
  auth: 401,
  not_found: 404,
  gone: 410,
  conflict: 409,
  parse: 400,
  forbidden: 403,
  quota: 429,
  timeout: 504,
  network: 503,
  permanent: 500,
};

/**
 * A Fastify server with `/livez` and `/readyz` open, `/metrics` and everything under `/v1` for callers with the scope that the route's
 * config names, errors as `ApiError`, and the OpenAPI 3.1 document of its routes at `/openapi.json`. Register routes, then `listen`.
 */
export async function createHttpServer(deps: HttpDeps): Promise<HttpServer> {
  const logger: FastifyBaseLogger = deps.logger;
  const { patience = PATIENCE } = deps;
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: deps.bodyLimit ?? 1_048_576,
    genReqId: requestIdOf,
    trustProxy: deps.trustedProxies?.length ? [...deps.trustedProxies] : false,
    // Slow on purpose costs a connection for so long (slowloris); looked after each second, not each half minute.
    requestTimeout: patience.requestMs,
    http: {
      headersTimeout: patience.headersMs,
      requestTimeout: patience.requestMs,
      connectionsCheckingInterval: Math.min(1_000, patience.headersMs),
      shouldUpgradeCallback: deps.upgrades ?? (() => false),
    },
    // Who comes on a connection that is still there while we stop is answered, and told by `Connection: close` to find another server.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    schemaErrorFormatter: (flaws, part) => new Error(firstProblem(flaws, part)),
    // What cannot even be routed, such as a path that does not decode, is answered as any other error.
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  registerSpans(app, deps.metrics);
  if (deps.maxConnections !== undefined) app.server.maxConnections = deps.maxConnections;
  if (deps.httpsOnly) app.addHook('onRequest', refusePlainHttp);

  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: deps.title, version: '1' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
  });

  registerAnswerHeaders(app);
  const { corsOrigins = [], admit = () => undefined } = deps;
  // Before anything is refused: a page is to see why.
  if (corsOrigins.length > 0)
    await app.register(fastifyCors, {
      origin: [...corsOrigins],
      methods: ['GET', 'POST', 'PATCH', 'DELETE'],
      exposedHeaders: ['retry-after', 'www-authenticate'],
      maxAge: 600,
    });
  registerAccess(app, deps.authenticate, admit);

  app.addHook('preValidation', async ({ params, query, body }) => {
    for (const [part, value] of Object.entries({ params, querystring: query, body })) {
      const at = findNul(value, part);
      if (at !== null)
        throw new AppError('api.invalid', 'invalid', `${at} must not hold the character U+0000`);
    }
  });

  app.setNotFoundHandler(async (request) => {
    throw new AppError(
      'api.no_route',
      'not_found',
      `there is nothing at ${request.method} ${request.url.split('?')[0]}; see /openapi.json`,
    );
  });

  app.setErrorHandler(async (error, request, reply) => answerError(error, request, reply));

  registerProbes(app, deps);
  app.get('/openapi.json', { schema: { hide: true } }, async () => deps.openApi ?? app.swagger());
  return app;
}

/** What runs the service asks, and who watches it. */
function registerProbes(app: HttpServer, { ready, alive = () => true, metrics }: HttpDeps): void {
  const tags = ['operations'];
  const Alive = Type.Object({ alive: Type.Boolean() });
  app.get(
    '/livez',
    {
      config: { limited: false },
      schema: {
        tags,
        summary: 'Whether the process is alive',
        security: [],
        response: { 200: Alive, 503: Alive },
      },
    },
    async (_request, reply) => {
      const isAlive = alive();
      return reply.status(isAlive ? 200 : 503).send({ alive: isAlive });
    },
  );
  const Ready = Type.Object({ ready: Type.Boolean() });
  app.get(
    '/readyz',
    {
      config: { limited: false },
      schema: {
        tags,
        summary: 'Whether it can do its work now',
        security: [],
        response: { 200: Ready, 503: Ready },
      },
    },
    async (_request, reply) => {
      const isReady = await ready();
      return reply.status(isReady ? 200 : 503).send({ ready: isReady });
    },
  );
  if (metrics)
    app.get(
      '/metrics',
      {
        config: { scope: 'metrics:read' },
        schema: {
          tags,
          summary: 'Figures, in the text format of Prometheus',
          response: { 200: { content: { 'text/plain': { schema: Type.String() } } } },
        },
      },
      async (_request, reply) => reply.type('text/plain; version=0.0.4').send(await metrics.text()),
    );
}

/** Probes come from beside us, and have no secrets. */
async function refusePlainHttp({ protocol, url }: FastifyRequest): Promise<void> {
  if (protocol !== 'https' && /^\/v1(\/|$|\?)/.test(url))
    throw new AppError(
      'http.insecure',
      'forbidden',
      'only https is answered here; a proxy that ends TLS must be in MAILSTREAM_TRUSTED_PROXIES and send X-Forwarded-Proto',
    );
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, code, message } = describe(error);
  if (status >= 500) request.log.error({ err: error, url: request.url }, 'request failed');
  if (error instanceof HttpError) reply.headers(error.headers);
  return reply.status(status).send({ error: { code, message, requestId: request.id } });
}

/** What a caller is told about an error: ours in full, Fastify's own 4xx as they are, nothing of anything else. */
function describe(error: unknown): { status: number; code: string; message: string } {
  if (error instanceof AppError)
    return { status: STATUS[error.errorClass], code: error.code, message: error.message };
  if (error instanceof Error) {
    const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
    if ('validation' in error && error.validation)
      return { status: 400, code: 'api.invalid', message: error.message };
    if (status >= 400 && status < 500) {
      const code =
        'code' in error && typeof error.code === 'string' ? error.code.toLowerCase() : 'bad_request';
      return { status, code: `api.${code}`, message: error.message };
    }
  }
  return {
    status: 500,
    code: 'api.internal',
    message: 'something went wrong on our side; the log has the request id',
  };
}
