/** What the benches of the whole product share: the stack, its database and its API, in a directory of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Account, type AccountCreate, type AccountRef } from '@mailstream/contracts';
import { createDb, type Db } from '@mailstream/db';
import { createLogger } from '@mailstream/runtime';
import { createApi } from '../../cli/api.ts';
import { type Stack, type StackOptions, startStack } from '../../stack.ts';

const WAIT_MS = 120_000;

export interface Bench {
  readonly stack: Stack;
  readonly db: Db;
  /** Returns at once. */
  addAccount(request: AccountCreate): Promise<AccountRef>;
  /** Resolves when everything is imported. */
  untilLive(account: AccountRef): Promise<void>;
  /** To be stopped before the stack. */
  defer(stop: () => Promise<void>): void;
  stop(): Promise<void>;
}

/** Where what the stack talks to can live, and be stopped after it. */
export type Place = Pick<Bench, 'defer'> & { readonly dir: string };

/** `prepare` starts what the stack talks to, and returns what the stack has to be told of it. */
export async function startBench(
  prepare: (place: Place) => Promise<Pick<StackOptions, 'env' | 'notifiedLocally'>>,
): Promise<Bench> {
  const dir = mkdtempSync(join(tmpdir(), 'mailstream-bench-'));
  const stops: (() => Promise<void>)[] = [async () => rmSync(dir, { recursive: true, force: true })];
  const defer = (stop: () => Promise<void>) => void stops.push(stop);
  const stop = async () => {
    for (const one of stops.splice(0).toReversed()) await one();
  };
  try {
    const { env, ...options } = await prepare({ dir, defer });
    const quiet = { LOG_LEVEL: 'warn', ...env };
    const stack = await startStack({ dir, env: quiet, ...options });
    defer(() => stack.stop());
    const logger = createLogger('bench', 'silent');
    const db = createDb({ url: stack.databaseUrl, max: 2, applicationName: 'bench', logger });
    defer(() => db.close());
    const api = createApi({ url: stack.url, token: stack.token });
    return {
      stack,
      db,
      defer,
      stop,
      async addAccount(request) {
        const { tenant, id } = await api.send(Account, 'POST', '/v1/accounts', request);
        return { tenant, account: id };
      },
      untilLive: ({ account }) =>
        until(100, async () => (await api.get(Account, `/v1/accounts/${account}`)).state === 'live'),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Asks every so many milliseconds until the answer is yes; throws after two minutes. */
export async function until(everyMs: number, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not reached within ${WAIT_MS / 1000} s`);
    await sleep(everyMs);
  }
}

/** How many messages the view counts for an account: in the mailbox that holds all, where there is one. */
export async function countMessages(db: Db, { account }: AccountRef): Promise<number> {
  const [row] = await db.query<{ messages: number }>(
    `SELECT coalesce(max(messages) FILTER (WHERE role = 'all'), sum(messages), 0)::int AS messages
       FROM view.mailbox WHERE account = $1`,
    [account],
  );
  return row?.messages ?? 0;
}
