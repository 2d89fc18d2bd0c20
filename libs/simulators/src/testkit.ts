/** A client for tests: speaks HTTPS to a simulator, trusting only its CA, and hides nothing of the answers. */
import { Agent, request } from 'node:https';
import { createGunzip } from 'node:zlib';
import { createDevCa, type DevCa } from './http/dev-ca.ts';
import { createSimulator, type Simulator, type SimulatorOptions } from './simulator.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Parsed when it is JSON. */
  readonly body: JsonObject;
}

/** Answers as tests read them: any depth, whatever is there. */
export type Json = string | number | boolean | null | undefined | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

export interface CallOptions {
  readonly method?: string;
  readonly token?: string;
  readonly body?: unknown;
  /** In place of JSON. */
  readonly text?: string;
  /** Sent as it is, in place of JSON. */
  readonly form?: Readonly<Record<string, string>>;
  readonly prefer?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface World {
  readonly simulator: Simulator;
  /** The mailbox most tests look at. */
  readonly mailbox: string;
  /** Calls Graph by path or whole link, with a token of `mailbox` and immutable ids unless told otherwise. */
  graph(pathOrLink: string, options?: CallOptions): Promise<Answer>;
  entra(path: string, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

export const IMMUTABLE = 'IdType="ImmutableId"';

let devCa: DevCa | undefined;

/** One authority for all tests of a process: making keys takes long. */
export function testCa(): DevCa {
  devCa ??= createDevCa();
  return devCa;
}

export async function startWorld(
  options: SimulatorOptions = {},
  mailbox: Omit<Parameters<Simulator['control']['createMailbox']>[0], 'address'> = {},
): Promise<World> {
  const simulator = await createSimulator({ devCa: testCa(), ...options });
  const { address } = simulator.control.createMailbox({ address: 'ada@contoso.example.com', ...mailbox });
  const token = simulator.control.issueToken({ mailbox: address, expiresInMs: 365 * 24 * 60 * 60_000 });
  const agent = new Agent({ ca: simulator.graph.ca, keepAlive: true, maxSockets: 50 });
  return {
    simulator,
    mailbox: address,
    graph: (path, call = {}) =>
      send(agent, path.startsWith('https:') ? path : simulator.graph.url + path, {
        token,
        prefer: IMMUTABLE,
        ...call,
      }),
    entra: (path, call = {}) => send(agent, simulator.entra.url + path, call),
    close: async () => {
      agent.destroy();
      await simulator.close();
    },
  };
}

/** One request over HTTPS. */
export function send(agent: Agent, url: string, options: CallOptions): Promise<Answer> {
  const form = options.form ? new URLSearchParams({ ...options.form }).toString() : undefined;
  const payload =
    form ?? options.text ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const method = options.method ?? (payload === undefined ? 'GET' : 'POST');
  const headers: Record<string, string> = {
    ...(options.token ? { authorization: `Bearer ${options.token}` } : {}),
    ...(options.prefer ? { prefer: options.prefer } : {}),
    ...(payload === undefined
      ? {}
      : { 'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json' }),
    ...(payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload)) }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      const stream =
        response.headers['content-encoding'] === 'gzip' ? response.pipe(createGunzip()) : response;
      response.on('error', reject);
      response.on('aborted', () => reject(new Error('The connection broke in the middle of the body.')));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (!response.complete) return;
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parse(text) });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

function parse(text: string): JsonObject {
  try {
    const value: JsonObject = JSON.parse(text);
    return value;
  } catch {
    return {};
  }
}

/** The entries of a page or list. */
export function entries({ body }: Answer): readonly JsonObject[] {
  return Array.isArray(body.value) ? body.value.filter(isObject) : [];
}

export function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The error's code and message. */
export function errorOf({ body }: Answer): { readonly code: Json; readonly message: Json } {
  const error = isObject(body.error) ? body.error : {};
  return { code: error.code, message: error.message };
}

export interface Drained {
  readonly pages: readonly Answer[];
  readonly entries: readonly JsonObject[];
  readonly deltaLink: string;
}

/** Follows a round of a change feed to its deltaLink. */
export async function drain(world: World, pathOrLink: string, prefer = IMMUTABLE): Promise<Drained> {
  const pages: Answer[] = [];
  for (let next: string | null = pathOrLink; next !== null; ) {
    const page: Answer = await world.graph(next, { prefer });
    if (page.status !== 200) throw new Error(`${page.status}: ${page.text}`);
    pages.push(page);
    next = typeof page.body['@odata.nextLink'] === 'string' ? page.body['@odata.nextLink'] : null;
  }
  const deltaLink = String(pages.at(-1)?.body['@odata.deltaLink']);
  return { pages, entries: pages.flatMap(entries), deltaLink };
}

/** The id of a folder behind a well-known name. */
export async function folderId(world: World, alias: string): Promise<string> {
  return String((await world.graph(`/me/mailFolders/${alias}`)).body.id);
}

/** Waits until `condition` holds; fails after four seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 4_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Not within four seconds: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
