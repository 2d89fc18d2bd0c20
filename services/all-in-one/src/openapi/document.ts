/** The OpenAPI 3.1 document of the one door: what the services' routes say of themselves, with the contract's shapes under their names. */
import { STATUS_CODES } from 'node:http';
import { isServedBy } from '@mailstream/ingest-gateway/server';
import { createProviders, readProvidersConfig } from '@mailstream/providers';
import { readEnv } from '@mailstream/runtime';
import { withComponents } from './components.ts';
import { EXAMPLES } from './examples.ts';
import { child, isJson, type Json } from './json.ts';
import { describedServices } from './services.ts';

const DESCRIPTION = `Accounts, their mailboxes and messages, what changes in them, and the state of the sync.

Callers bring a JWT or an API key. Either names one tenant, and nothing of another is seen: what is another tenant's is answered like what never was, 404. Lists come in pages: pass \`next\` back as \`after\`. An error has a code for programs and a message for people.`;

const TOKEN = {
  type: 'http',
  scheme: 'bearer',
  description:
    'A JWT or an API key (`ms_…`). The scope that a route needs is listed with it; scopes do not include each other.',
};

const ERROR = {
  description: 'Not done; `code` says why, `message` what to do.',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/ApiError' } } },
};

/** The whole document; the same for the same routes. */
export async function openApiDocument(): Promise<Json> {
  const { gateway, orchestrator, projector } = await describedServices();
  const operations = [
    ...operationsIn(gateway.swagger()),
    ...operationsIn(orchestrator.swagger()).filter(({ path }) => isServedBy('orchestrator', path)),
    ...operationsIn(projector.swagger()).filter(({ path }) => isServedBy('projector', path)),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  const paths: Record<string, Json> = {};
  for (const { path, method, operation } of operations)
    paths[path] = { ...paths[path], [method]: described(path, method, operation) };
  const { paths: referring, schemas } = withComponents(paths, connectingShapes());
  return {
    openapi: '3.1.0',
    info: {
      title: 'Mailstream',
      version: '1',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:8080', description: 'Where `npm start` listens.' }],
    security: [{ token: [] }],
    paths: referring,
    components: { securitySchemes: { token: TOKEN }, schemas: withExamples(schemas) },
  };
}

interface Operation {
  readonly path: string;
  readonly method: string;
  readonly operation: Json;
}

function operationsIn(document: object): Operation[] {
  return Object.entries(child({ ...document }, 'paths')).flatMap(([path, item]) =>
    Object.entries(isJson(item) ? item : {}).map(([method, operation]) => ({
      path,
      method,
      operation: isJson(operation) ? operation : {},
    })),
  );
}

/** With a name for programs, and with what every route may answer. */
function described(path: string, method: string, operation: Json): Json {
  const answers = Object.entries(child(operation, 'responses')).map(([status, answer]) => [
    status,
    isJson(answer) ? answerOf(status, answer) : answer,
  ]);
  return {
    operationId: nameOf(path, method),
    ...operation,
    responses: { ...Object.fromEntries(answers), default: ERROR },
  };
}

/** What says nothing of itself is called what its status is called. */
function answerOf(status: string, answer: Json): Json {
  const description =
    answer.description === 'Default Response' ? (STATUS_CODES[status] ?? status) : answer.description;
  // Nothing is sent with it.
  const isEmpty = status === '204' || (status.startsWith('3') && !('headers' in answer));
  const { content, ...rest } = answer;
  return { ...rest, description, ...(!isEmpty && content !== undefined && { content }) };
}

/** `POST /v1/accounts/{id}/pause` is `postAccountsByIdPause`. */
function nameOf(path: string, method: string): string {
  const words = path
    .replace(/^\/v1/, '')
    .replaceAll(/\{(\w+)\}/g, 'by-$1')
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean);
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/** What each provider takes to connect a mailbox: `ImapSettings`, `ImapCredential`. */
function connectingShapes(): Readonly<Record<string, unknown>> {
  const providers = createProviders(readProvidersConfig(readEnv({})));
  return Object.fromEntries(
    providers.flatMap(({ name, settings, credential, oauth }) => {
      const word = name.charAt(0).toUpperCase() + name.slice(1);
      const shapes = oauth?.unattended ?? { settings, credential };
      return [
        [`${word}Settings`, shapes.settings],
        [`${word}Credential`, shapes.credential],
      ];
    }),
  );
}

function withExamples(schemas: Readonly<Record<string, Json>>): Json {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [
      name,
      name in EXAMPLES ? { ...schema, examples: [EXAMPLES[name]] } : schema,
    ]),
  );
}
