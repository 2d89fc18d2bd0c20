/** Demo mailboxes: each on a server of its own on this machine, connected as an account, into which a message arrives every 15 s. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Account, type AccountCreate, MailboxView, MessageView, pageOf } from '@mailstream/contracts';
import type { DevCa } from '@mailstream/simulators';
import type { Child } from './child.ts';
import type { Api } from './cli/api.ts';
import { CliError } from './cli/errors.ts';

/** A server with one mailbox. It listens on this machine only and holds nothing but generated mail. */
export interface Demo {
  /** Of the account, and how the command line is told of it. */
  readonly name: string;
  readonly account: Required<Pick<AccountCreate, 'provider' | 'settings' | 'credential'>>;
  /** Whether it notifies the gateway at the address that is told to be the public one. */
  readonly callsPublicUrl: boolean;
  /** What the services have to be told to find it. */
  readonly env: Readonly<Record<string, string>>;
  /** How to change the mailbox from outside, for people. */
  readonly howToChange: readonly string[];
  /** The process it runs in, when that is not this one. */
  readonly child: Child | null;
  /** One more message in the inbox. */
  arrive(): Promise<void>;
  stop(): Promise<void>;
}

/** One authority for the simulators of all demos, because Node reads one file of more authorities. */
export interface DemoTrust {
  readonly devCa: DevCa;
  /** Where it is, PEM. */
  readonly caFile: string;
}

export const DEMO_MESSAGES = 2_000;

const ARRIVAL_MS = 15_000;

/** Adds the account, or finds the one of an earlier run and points it to where the server is now. Returns its id. */
export async function connectDemoAccount(api: Api, { name, account }: Demo): Promise<string> {
  const { provider, settings, credential } = account;
  const { items } = await api.get(pageOf(Account), '/v1/accounts');
  const known = items.find((one) => one.name === name && one.provider === provider);
  if (known === undefined) return (await api.send(Account, 'POST', '/v1/accounts', { name, ...account })).id;
  if (!sameValues(known.settings, settings))
    await api.send(Account, 'PATCH', `/v1/accounts/${known.id}`, { settings, credential });
  return known.id;
}

export interface Imported {
  /** Messages in the view. */
  readonly count: number;
  readonly newest: readonly MessageView[];
}

/** Waits until the account is imported, `timeoutMs` have passed, or `stop`; then says what is in the view. */
export async function waitForImport(
  api: Api,
  account: string,
  timeoutMs: number,
  stop: AbortSignal,
): Promise<Imported> {
  const deadline = Date.now() + timeoutMs;
  for (let before = -1; ; await sleep(300)) {
    const { state } = await api.get(Account, `/v1/accounts/${account}`);
    const mailboxes = await ofView(api.get(pageOf(MailboxView), '/v1/mailboxes', { account }));
    const all = mailboxes.find(({ role }) => role === 'all');
    const count = all?.messages ?? mailboxes.reduce((sum, { messages }) => sum + messages, 0);
    // The account is live a moment before the last messages are in the view.
    if ((state === 'live' && count === before) || Date.now() > deadline || stop.aborted) {
      const newest = await ofView(api.get(pageOf(MessageView), '/v1/messages', { account, limit: 5 }));
      return { count, newest };
    }
    before = count;
  }
}

/** Nothing as long as the view does not know the account: it is told of it a moment after it was added. */
async function ofView<T>(page: Promise<{ readonly items: readonly T[] }>): Promise<readonly T[]> {
  try {
    return (await page).items;
  } catch (error) {
    if (error instanceof CliError && error.code === 'api.no_account') return [];
    throw error;
  }
}

/** A new message every 15 s, until told to stop; one that could not be put there is told, and the next one comes. */
export async function keepMailArriving(
  demo: Pick<Demo, 'arrive'>,
  signal: AbortSignal,
  onFailed: (error: unknown) => void,
  everyMs = ARRIVAL_MS,
): Promise<void> {
  for (;;) {
    await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    await demo.arrive().catch(onFailed);
  }
}

function sameValues(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? Object.entries(value).sort() : value;
}
