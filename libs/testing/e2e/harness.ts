/** The whole product for one test file: the four services as processes with a PostgreSQL, a nats-server and, for IMAP, a Dovecot of their own. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, connectBus } from '@mailstream/bus';
import { Account, pageOf, ScopeStatus, StatusReport, SyncAccepted, subjects } from '@mailstream/contracts';
import { createDb, type Db } from '@mailstream/db';
import { type Dovecot, type Stack, startDovecot, startStack } from '@mailstream/devstack';
import { createLogger, DEFAULT_TENANT } from '@mailstream/runtime';
import type { ImapLogin } from '@mailstream/testing';
import {
  type ChangeRecorder,
  disagreements,
  foldMessages,
  problemsOf,
  recordChanges,
} from './change-recorder.ts';
import { EXAMPLES_FILE } from './env.ts';
import { addExamples } from './examples.ts';
import { differences, independentListing, type Listing, readAllMessages, viewListing } from './listings.ts';
import { type Published, readPublished } from './published-events.ts';
import { createRest, type Rest } from './rest.ts';
import { type Condition, until } from './until.ts';

/** One mailbox, from both sides. */
export interface Mailbox {
  /** The account's id. */
  readonly account: string;
  /** What its own server says it holds, in the words of `viewListing`. */
  truth(): Promise<Listing>;
}

export interface ImapMailbox extends Mailbox {
  readonly login: ImapLogin;
  /** Where its mail is; see `deliver`. */
  readonly maildir: string;
}

export interface SystemOptions {
  /** Users of the IMAP server; all have the password `secret`. No server runs when there are none. */
  readonly users?: readonly string[];
  /** More environment for the services. */
  readonly env?: Readonly<Record<string, string>>;
  /** As for the stack. */
  readonly notifiedLocally?: boolean;
}

export interface System {
  readonly stack: Stack;
  readonly rest: Rest;
  /** The API as another tenant calls it. */
  restOf(tenant: string): Promise<Rest>;
  /** Connected for as long as the system; `nats-server` may be killed meanwhile. */
  readonly bus: Bus;
  readonly db: Db;
  dovecot(): Dovecot;
  /** Ends the IMAP server, lets `meanwhile` change its files, and starts it on the same port, with these users only if any are named. */
  restartDovecot(how?: { users?: readonly string[]; meanwhile?: () => void }): Promise<void>;
  /** Connects the IMAP mailbox of a user; its import begins. */
  addMailbox(user: string): Promise<ImapMailbox>;
  account(mailbox: Mailbox): Promise<Account>;
  status(): Promise<StatusReport>;
  /** Asks for a look at all scopes, as a person would. */
  sync(mailbox: Mailbox): Promise<void>;
  /** Follows CHANGES of all accounts from the beginning; stopped with the system. */
  recordChanges(): Promise<ChangeRecorder>;
  /** Waits until nothing is under way: no hint, no fetch, no event that is not folded, no change that is not published. All accounts must be live. */
  settled(timeoutMs?: number): Promise<void>;
  /** Compares the view with what the mailbox's own server says it holds, as both are now. */
  viewEqualsMailbox(mailbox: Mailbox): Promise<void>;
  /** Syncs, waits until settled, and compares the view with what a plain IMAP client lists. */
  expectViewEqualsMailbox(mailbox: Mailbox, timeoutMs?: number): Promise<void>;
  /** Waits until the recorder has everything, then: no problem in the changes, and folded they are the view. */
  expectChangesTellView(recorder: ChangeRecorder, mailbox: Mailbox): Promise<void>;
  /** `until` with the ends of all logs in its failure. */
  until(what: string, condition: Condition, timeoutMs?: number): Promise<void>;
  /** Throws when something was published that is not what the contract says. */
  stop(): Promise<void>;
}

const PASSWORD = 'secret';
const NOTHING: Published = { problems: [], examples: new Map() };

/** Whatever a service tried on NATS without having the permission for it. */
function expectNoViolations(stack: Stack): void {
  const log = readFileSync(stack.unit('nats-server').child().logFile, 'utf8');
  const violations = log.split('\n').filter((line) => /(Publish|Subscription) Violation/.test(line));
  if (violations.length > 0)
    throw new Error(`something is missing in libs/bus/src/permissions/users.ts:\n${violations.join('\n')}`);
}

export async function startSystem({
  users = [],
  env = {},
  notifiedLocally = false,
}: SystemOptions = {}): Promise<System> {
  const dir = mkdtempSync(join(tmpdir(), 'mailstream-e2e-'));
  const mailDir = join(dir, 'dovecot');
  const ending: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const end of ending.toReversed()) await end();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    return await start();
  } catch (error) {
    await stop();
    throw error;
  }

  async function start(): Promise<System> {
    const runDovecot = (names: readonly string[], port?: number) => {
      const mailUsers = names.map((user) => ({ user, password: PASSWORD }));
      return startDovecot({ dir: mailDir, users: mailUsers, ...(port === undefined ? {} : { port }) });
    };
    let running = users.length === 0 ? null : await runDovecot(users);
    const dovecot = () => {
      if (running === null) throw new Error('no IMAP server was asked for: name its users');
      return running;
    };
    ending.push(async () => running?.kill());
    const stack = await startStack({ dir, env, notifiedLocally });
    ending.push(async () => {
      await stack.stop();
      expectNoViolations(stack);
    });
    const bus = await connectBus({ url: stack.natsUrl, name: 'end-to-end' });
    ending.push(() => bus.close());
    const logger = createLogger('end-to-end', 'silent');
    const db = createDb({ url: stack.databaseUrl, max: 2, applicationName: 'end-to-end', logger });
    ending.push(() => db.close());
    const rest = createRest(stack.url, stack.token);
    const recorders: ChangeRecorder[] = [];

    const untilOrLogs = async (what: string, condition: Condition, timeoutMs?: number) => {
      await until(what, condition, timeoutMs).catch((cause: unknown) => {
        throw new Error(`${cause instanceof Error ? cause.message : cause}\n${logs()}`, { cause });
      });
    };
    const logs = () =>
      [...stack.units.map((unit) => unit.child()), ...(running ? [running.child] : [])]
        .map(({ name, logFile, ended }) => `--- ${name} (${ended() ?? 'running'})\n${tail(logFile)}`)
        .join('\n');

    const system: System = {
      stack,
      rest,
      restOf: async (tenant) => createRest(stack.url, await stack.tokenOf(tenant)),
      bus,
      db,
      dovecot,
      async restartDovecot({ users: remaining = users, meanwhile = () => undefined } = {}) {
        const { port, kill } = dovecot();
        await kill();
        meanwhile();
        running = await runDovecot(remaining, port);
      },
      async addMailbox(user) {
        const { host, port, maildir } = dovecot();
        const settings = { host, port, user, secure: false, allowPlaintext: true };
        const body = { provider: 'imap', settings, credential: { password: PASSWORD } };
        const { id } = await rest.send(Account, 'POST', '/v1/accounts', body);
        const login = { host, port, user, password: PASSWORD };
        return { account: id, login, maildir: maildir(user), truth: () => independentListing(login) };
      },
      account: ({ account }) => rest.get(Account, `/v1/accounts/${account}`),
      status: () => rest.get(StatusReport, '/v1/status'),
      async sync({ account }) {
        await rest.send(SyncAccepted, 'POST', `/v1/accounts/${account}/sync`, { reason: 'user' });
      },
      async recordChanges() {
        const recorder = await recordChanges(stack.natsUrl, DEFAULT_TENANT);
        recorders.push(recorder);
        return recorder;
      },
      async settled(timeoutMs) {
        await untilOrLogs('nothing is under way', () => nothingUnderWay(system), timeoutMs);
      },
      async expectViewEqualsMailbox(mailbox, timeoutMs) {
        await system.sync(mailbox);
        await system.settled(timeoutMs);
        await system.viewEqualsMailbox(mailbox);
      },
      async viewEqualsMailbox(mailbox) {
        const [view, truth] = await Promise.all([viewListing(rest, mailbox.account), mailbox.truth()]);
        failOn('the view is not the mailbox', differences(view, truth), logs);
      },
      async expectChangesTellView(recorder, { account }) {
        await untilOrLogs('the recorder has all changes', async () => {
          const last = await bus.last('CHANGES', subjects.changesOf(DEFAULT_TENANT));
          if (recorder.failure() !== null) throw recorder.failure();
          return last === null || recorder.position() >= last.sequence;
        });
        const told = foldMessages(recorder.changes, account);
        const view = await readAllMessages(rest, account);
        const problems = [...problemsOf(recorder.changes), ...disagreements(told, view)];
        failOn('the changes do not tell the view', problems, logs);
      },
      until: untilOrLogs,
      async stop() {
        for (const recorder of recorders) await recorder.stop();
        const published = bus.connected() ? readPublished(bus) : Promise.resolve(NOTHING);
        // Whatever was published, nothing is to be left running.
        await published.then(
          () => stop(),
          () => stop(),
        );
        const { problems, examples } = await published;
        // Changes of an account that was removed are in the stream no more.
        const told = recorders.flatMap(({ changes }) =>
          changes.map(({ event }) => [event.type, event] as const),
        );
        if (EXAMPLES_FILE !== null) addExamples(EXAMPLES_FILE, new Map([...told, ...examples]));
        failOn('what was published is not what the contract says', problems, () => '');
      },
    };
    return system;
  }
}

/** Throws what is still under way. Everything moves from hints to fetches to the log to the outbox; a log that did not grow meanwhile proves it. */
async function nothingUnderWay({ rest, db, status }: Pick<System, 'rest' | 'db' | 'status'>): Promise<void> {
  const before = await status();
  for (const { state, id, reason } of before.accounts) {
    const scopes = await rest.get(pageOf(ScopeStatus), `/v1/accounts/${id}/scopes`);
    if (state !== 'live') {
      const importing = scopes.items.filter(({ backfilled, failure }) => !backfilled || failure);
      throw new Error(`account ${id} is ${state} (${reason}): ${JSON.stringify(importing)}`);
    }
    const busy = scopes.items.find(({ inFlight }) => inFlight);
    if (busy) throw new Error(`${busy.path ?? busy.scope} is being fetched`);
  }
  const after = await status();
  if (JSON.stringify(after.pending) !== '{"hints":0,"live":0,"backfill":0}')
    throw new Error(`queues: ${JSON.stringify(after.pending)}`);
  const behind = after.folds.find(({ lag }) => lag > 0);
  if (behind) throw new Error(`${behind.fold} is ${behind.lag} events behind`);
  if (JSON.stringify(before.folds) !== JSON.stringify(after.folds)) throw new Error('the log still grows');
  const [outbox] = await db.query<{ rows: bigint }>('select count(*) as rows from fold.outbox');
  if (outbox?.rows !== 0n) throw new Error(`${outbox?.rows} rows wait in the outbox`);
}

function failOn(what: string, problems: readonly string[], logs: () => string): void {
  if (problems.length === 0) return;
  throw new Error(
    `${what} (${problems.length} differences):\n${problems.slice(0, 20).join('\n')}\n${logs()}`,
  );
}

function tail(file: string, lines = 12): string {
  if (!existsSync(file)) return '';
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}
