/** One OpenAPI document for the one door: the gateway's own routes and those of the services behind it. */

import type { Upstreams } from './config.ts';
import { isServedBy, SERVICE_NAMES } from './routes/proxy.ts';

/** How long a complete document is kept, milliseconds. An incomplete one is not kept. */
const KEEP_MS = 30_000;
/** How long a service may take to describe itself, milliseconds. */
const TIMEOUT_MS = 2_000;

type Json = Readonly<Record<string, unknown>>;

/**
 * Completes the gateway's own document. A service that does not answer is named in `info.description`, and its routes are missing.
 */
export function createOpenApi(upstreams: Upstreams): (own: object) => Promise<object> {
  let kept: { readonly document: object; readonly until: number } | null = null;
  return async (own) => {
    if (kept && Date.now() < kept.until) return kept.document;
    const parts = await Promise.all(
      (['orchestrator', 'projector'] as const).map(async (name) => ({
        name,
        document: await fetchDocument(upstreams[name]),
      })),
    );
    const document = mergeDocuments({ ...own }, parts);
    if (parts.every((part) => part.document)) kept = { document, until: Date.now() + KEEP_MS };
    return document;
  };
}

/** The document of a service, or null when it does not give one. */
async function fetchDocument(base: string): Promise<Json | null> {
  try {
    const response = await fetch(new URL('/openapi.json', base), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) return null;
    const document: unknown = await response.json();
    return isJson(document) ? document : null;
  } catch {
    return null;
  }
}

interface DocumentPart {
  readonly name: keyof Upstreams;
  readonly document: Json | null;
}

/** Paths side by side; components under the name of their service, because two may use one name for different things. */
function mergeDocuments(own: Json, parts: readonly DocumentPart[]): object {
  const paths: Record<string, unknown> = {};
  const schemas: Record<string, unknown> = {};
  for (const { name, document } of parts) {
    const service = SERVICE_NAMES[name];
    const theirs = inNamespace(document ?? {}, service);
    for (const [path, item] of Object.entries(child(theirs, 'paths')))
      if (isServedBy(name, path)) paths[path] = item;
    for (const [key, schema] of Object.entries(child(child(theirs, 'components'), 'schemas')))
      schemas[`${service}.${key}`] = schema;
  }
  for (const [path, item] of Object.entries(child(own, 'paths')))
    paths[path] = { ...child(paths, path), ...(isJson(item) ? item : {}) };
  const missing = parts.filter((part) => !part.document).map((part) => SERVICE_NAMES[part.name]);
  const components = child(own, 'components');
  return {
    ...own,
    info: { ...child(own, 'info'), description: describe(missing) },
    paths,
    components: { ...components, schemas: { ...child(components, 'schemas'), ...schemas } },
  };
}

function describe(missing: readonly string[]): string {
  const what = 'The API of Mailstream: accounts, their mailboxes and messages, and the state of the sync.';
  if (missing.length === 0) return what;
  return `${what} **Incomplete**: no answer from ${missing.join(' and ')}, whose routes are missing here.`;
}

/** The document with all its references to schemas renamed. */
function inNamespace(document: Json, service: string): Json {
  const text = JSON.stringify(document).replaceAll(
    '"#/components/schemas/',
    `"#/components/schemas/${service}.`,
  );
  const renamed: unknown = JSON.parse(text);
  return isJson(renamed) ? renamed : {};
}

function child(object: Json, key: string): Json {
  const value = object[key];
  return isJson(value) ? value : {};
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
