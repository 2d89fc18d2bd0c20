/** The admin port of a process, for probes and Prometheus: open to whoever reaches it, so not for the internet. */
import { createServer, type ServerResponse } from 'node:http';
import type { EnvReader } from './env.ts';
import { AppError, messageOf } from './errors.ts';
import type { Health } from './health.ts';
import type { Metrics } from './telemetry/metrics.ts';

export interface AdminConfig {
  readonly host: string;
  readonly port: number;
}

/** Null: no admin port is wanted. */
export function readAdminConfig(env: EnvReader): AdminConfig | null {
  if (env.optional('MAILSTREAM_ADMIN_PORT') === null) return null;
  return {
    host: env.string('MAILSTREAM_ADMIN_HOST', '127.0.0.1'),
    port: env.integer('MAILSTREAM_ADMIN_PORT', 0, { min: 0, max: 65_535 }),
  };
}

export interface Admin {
  readonly url: string;
  close(): Promise<void>;
}

/** Listens at once, before anything else of the process is there. Throws `http.port`. */
export async function listenForAdmin(
  { host, port }: AdminConfig,
  { health, metrics }: { readonly health: Health; readonly metrics: Metrics },
): Promise<Admin> {
  const answers: Readonly<Record<string, (response: ServerResponse) => Promise<void>>> = {
    '/livez': async (response) => {
      const stuck = health.stuck();
      say(response, stuck.length === 0, { alive: stuck.length === 0, stuck });
    },
    '/readyz': async (response) => {
      const missing = await health.missing();
      say(response, missing.length === 0, { ready: missing.length === 0, missing });
    },
    '/metrics': async (response) => {
      const text = await metrics.text();
      response.setHeader('content-type', 'text/plain; version=0.0.4').end(text);
    },
  };
  const server = createServer((request, response) => {
    const answer = answers[request.url?.split('?')[0] ?? ''];
    if (request.method !== 'GET' || !answer) return void response.writeHead(404).end();
    answer(response).catch((error: unknown) => response.writeHead(500).end(messageOf(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new AppError(
          'http.port',
          'permanent',
          `cannot listen on ${host}:${port} (MAILSTREAM_ADMIN_HOST, MAILSTREAM_ADMIN_PORT): ${messageOf(cause)}`,
          { cause },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    url: `http://${host}:${typeof address === 'object' && address !== null ? address.port : port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function say(response: ServerResponse, isWell: boolean, body: object): void {
  response.writeHead(isWell ? 200 : 503, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
