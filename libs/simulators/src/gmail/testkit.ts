/** A Gmail mailbox in a simulator, and a client for it that hides nothing. For tests only. */
import { Agent } from 'node:https';
import type { NewMailbox } from '../control/control.ts';
import { createSimulator, type Simulator, type SimulatorOptions } from '../simulator.ts';
import {
  type Answer,
  type CallOptions,
  isObject,
  type Json,
  type JsonObject,
  send,
  testCa,
} from '../testkit.ts';

export interface GmailWorld extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly control: Simulator['control'];
  /** The mailbox most tests look at. */
  readonly mailbox: string;
  /** Calls below `/gmail/v1/users/me`, or from the origin where `path` begins with `//`; with full access unless told otherwise. */
  gmail(path: string, options?: CallOptions): Promise<Answer>;
  google(path: string, options?: CallOptions): Promise<Answer>;
  pubsub(path: string, options?: CallOptions): Promise<Answer>;
  /** A token with these of Gmail's scopes alone. */
  tokenFor(...scopes: string[]): string;
}

const YEAR = 365 * 24 * 60 * 60_000;

export async function startGmail(
  options: SimulatorOptions = {},
  mailbox: Omit<NewMailbox, 'address'> = {},
): Promise<GmailWorld> {
  const simulator = await createSimulator({ devCa: testCa(), ...options });
  const { control } = simulator;
  const { address } = control.createMailbox({ address: 'ada@example.com', provider: 'google', ...mailbox });
  const token = control.issueToken({ mailbox: address, expiresInMs: YEAR });
  const agent = new Agent({ ca: simulator.gmail.ca, keepAlive: true, maxSockets: 60 });
  const call = (origin: string, path: string, more: CallOptions = {}) =>
    send(agent, origin + path, { token, ...more });
  return {
    simulator,
    control,
    mailbox: address,
    gmail: (path, more) =>
      call(simulator.gmail.url, path.startsWith('//') ? path.slice(1) : `/gmail/v1/users/me${path}`, more),
    google: (path, more) => send(agent, simulator.google.url + path, more ?? {}),
    pubsub: (path, more) => call(simulator.pubsub.url, `/v1/${path}`, more),
    tokenFor: (...scopes) =>
      control.issueToken({
        mailbox: address,
        expiresInMs: YEAR,
        scopes: scopes.map((scope) => `https://www.googleapis.com/auth/gmail.${scope}`),
      }),
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      await simulator.close();
    },
  };
}

/** The objects in a member that is a list; none when there is no such member. */
export function listOf(body: Json, name: string): readonly JsonObject[] {
  const value = isObject(body) ? body[name] : undefined;
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function at(body: Json, ...path: string[]): Json {
  return path.reduce<Json>((value, name) => (isObject(value) ? value[name] : undefined), body);
}

/** What the envelope says: status, reason, domain, message. */
export function refusal({ status, body }: Answer) {
  const [first] = listOf(body.error, 'errors');
  return { status, reason: first?.reason, domain: first?.domain, message: at(body, 'error', 'message') };
}

/** Every page of a list or of history, from a page token if there is one. */
export async function allPages(
  world: GmailWorld,
  path: string,
  from: Json = null,
): Promise<readonly JsonObject[]> {
  const pages: JsonObject[] = [];
  for (let token: Json = from; token !== undefined; ) {
    const page: Answer = await world.gmail(
      token === null ? path : `${path}${path.includes('?') ? '&' : '?'}pageToken=${token}`,
    );
    if (page.status !== 200) throw new Error(`${page.status}: ${page.text}`);
    pages.push(page.body);
    token = page.body.nextPageToken;
  }
  return pages;
}

export async function historyId(world: GmailWorld): Promise<string> {
  return String((await world.gmail('/profile')).body.historyId);
}

/** All records since an id, and the id to go on from. */
export async function historySince(world: GmailWorld, start: Json, more = '') {
  const pages = await allPages(world, `/history?startHistoryId=${start}${more}`);
  return {
    pages,
    records: pages.flatMap((page) => listOf(page, 'history')),
    next: String(pages.at(-1)?.historyId),
  };
}
