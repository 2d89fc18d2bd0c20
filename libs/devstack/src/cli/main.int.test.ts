import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { Account } from '@mailstream/contracts';
import { AppError, createHttpServer, createLogger, type HttpServer } from '@mailstream/runtime';
import { authenticate, TEST_AUTH, tokenOf } from '@mailstream/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { childEnv } from '../env.ts';
import { accountOf } from './testkit.ts';

const TOKEN = await tokenOf();
const MAIN = new URL('main.ts', import.meta.url).pathname;

let api: HttpServer;
let url: string;
/** What the API was last asked to add. */
let added: unknown;
/** What is connected, and what is once somebody signed in. */
let connected: Account[];
let signedIn: Account[];
/** What becomes of an account that was added. */
let fate: Partial<Account>;

/** What the API was last asked of its keys. */
let keyCall: unknown;

const demo = accountOf('0190a000-0000-7000-8000-000000000001', 'Demo mailbox');

/** The API as the commands need it: the same server kit, routes that remember. */
beforeAll(async () => {
  api = await createHttpServer({
    title: 'test',
    logger: createLogger('test', 'silent'),
    authenticate,
    ready: () => true,
  });
  api.addHook('onRoute', (route) => {
    route.config ??= { scope: 'any' };
  });
  api.get('/v1/caller', async ({ principal }) => principal);
  api.get('/v1/accounts', async () => ({ items: connected, next: null }));
  api.get('/v1/connect/microsoft', async (request, reply) => {
    connected = signedIn;
    return reply.redirect(`https://login.example.com/authorize?from=${encodeURIComponent(request.url)}`, 302);
  });
  api.post('/v1/accounts', async (request, reply) => {
    added = request.body;
    return reply.status(201).send(accountOf(demo.id, 'Ada', { state: 'connecting' }));
  });
  api.get('/v1/accounts/:id', async () => accountOf(demo.id, 'Ada', fate));
  api.delete('/v1/accounts/:id', async (_request, reply) => {
    connected = [];
    const removal = [{ step: 'jobs', done: true } as const, { step: 'log', done: false } as const];
    return reply.status(202).send(accountOf(demo.id, 'Demo mailbox', { state: 'removing', removal }));
  });
  api.post('/v1/accounts/:id/pause', async () => accountOf(demo.id, 'Demo mailbox', { state: 'paused' }));
  api.post('/v1/accounts/:id/sync', async (_request, reply) =>
    reply.status(202).send({ accepted: true, sequence: '7' }),
  );
  const key = {
    prefix: '0123456789ab',
    name: 'CRM',
    scopes: ['messages:read'],
    createdBy: 'ada',
    createdAt: '2026-01-01T00:00:00Z',
    expiresAt: null,
    lastUsedAt: null,
  };
  api.get('/v1/api-keys', async () => ({ items: [key], next: null }));
  api.post('/v1/api-keys', async (request, reply) => {
    keyCall = request.body;
    return reply.status(201).send({ ...key, key: 'ms_0123456789ab_secret' });
  });
  api.delete('/v1/api-keys/:prefix', async (request, reply) => {
    keyCall = request.params;
    return reply.status(204).send();
  });
  api.get('/v1/messages', async () => ({ items: 'none of our shape' }));
  api.get('/v1/doctor', async () => ({
    findings: [
      { level: 'ok', check: 'NATS', message: 'answers', mend: null },
      {
        level: 'fail',
        check: 'Demo mailbox',
        message: 'the credentials were rejected',
        mend: 'give new ones',
      },
    ],
  }));
  api.get('/v1/projection/status', async () => ({
    partitions: [],
    incidents: [],
    parked: 0,
    drift: [],
    rebuild: null,
  }));
  api.get('/v1/status', async () => {
    throw new AppError('bus.disconnected', 'network', 'not connected to NATS');
  });
  url = await api.listen({ host: '127.0.0.1', port: 0 });
});

afterAll(() => api.close());

beforeEach(() => {
  added = null;
  connected = [demo];
  signedIn = [demo];
  fate = {};
});

interface RunOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the command line as a person would, as a process. */
async function run(line: string, { stdin = '', env = {} }: RunOptions = {}) {
  const child = spawn(process.execPath, [MAIN, ...line.split(' ')], {
    env: childEnv({
      MAILSTREAM_URL: url,
      MAILSTREAM_TOKEN: TOKEN,
      NATS_URL: 'nats://127.0.0.1:9',
      MAILSTREAM_PASSWORD: '',
      ...env,
    }),
  });
  child.stdin.end(stdin);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { out, err, code };
}

const ADD = 'account add imap --host imap.example.com --user ada@example.com';

describe('account add imap', () => {
  it('takes the password from a pipe, and says that the account is live', async () => {
    const { out, code } = await run(ADD, { stdin: 's3cret\n' });
    expect(added).toEqual({
      provider: 'imap',
      settings: { host: 'imap.example.com', user: 'ada@example.com', secure: true },
      credential: { password: 's3cret' },
    });
    expect(out).toContain(`added "Ada" (${demo.id})`);
    expect(out).toContain('it is live');
    expect(code).toBe(0);
  });

  it('takes the password from the environment', async () => {
    await run(ADD, { env: { MAILSTREAM_PASSWORD: 'from env' } });
    expect(added).toMatchObject({ credential: { password: 'from env' } });
  });

  it('wants a password, and none as an argument', async () => {
    const none = await run(ADD);
    expect(none.err).toContain('no password was given');
    expect(none.code).toBe(1);
    const argument = await run(`${ADD} --password s3cret`);
    expect(argument.err).toContain('the password is never an argument');
    expect(argument.err).not.toContain('s3cret');
    expect(argument.code).toBe(2);
    expect(added).toBeNull();
  });

  it('says what failed, with its code, and what happens next', async () => {
    const failure = {
      failure: 'auth',
      code: 'imap.auth_rejected',
      message: 'rejected',
      at: '',
      attempts: 1,
      retryAt: null,
    } as const;
    fate = { state: 'reauth_required', failure };
    const { out, code } = await run(ADD, { stdin: 'wrong' });
    expect(out).toContain('it does not work yet: rejected (imap.auth_rejected)');
    expect(out).toContain('not tried again by itself');
    expect(code).toBe(1);
  });
});

describe('account add microsoft', () => {
  const ada = accountOf('0190a000-0000-7000-8000-000000000002', 'ada@example.com', {
    provider: 'microsoft',
    connect: '/v1/connect/microsoft?account=0190a000-0000-7000-8000-000000000002',
  });

  it('shows where to sign in, waits for it, and says what became of it', async () => {
    signedIn = [demo, ada];
    const { out, code } = await run('account add microsoft');
    expect(out).toContain('\n\nhttps://login.example.com/authorize?from=%2Fv1%2Fconnect%2Fmicrosoft\n');
    expect(out).toContain(`added "ada@example.com" (${ada.id})\nit is live`);
    expect(code).toBe(0);
  });

  it('says so when nobody signed in', async () => {
    const { err, code } = await run('account add microsoft --wait 1');
    expect(err).toContain('nobody has signed in within 1 s');
    expect(code).toBe(1);
  });

  it('adds a mailbox for an application without asking anybody', async () => {
    const { out } = await run('account add microsoft --app --mailbox ada@example.com');
    expect(added).toEqual({
      provider: 'microsoft',
      settings: { mailbox: 'ada@example.com' },
      credential: { kind: 'app' },
    });
    expect(out).toContain('it is live');
  });

  it('is repeated for one account by account reconnect', async () => {
    connected = [demo, ada];
    signedIn = [demo, { ...ada, credentialVersion: 2 }];
    const { out } = await run('account reconnect ada');
    expect(out).toContain(encodeURIComponent(ada.connect ?? ''));
    expect(out).toContain('connected again "ada@example.com"');
    const { err, code } = await run('account reconnect demo');
    expect(err).toContain('not an account that somebody signs in for');
    expect(code).toBe(1);
  });
});

describe('commands on an account', () => {
  it.each([
    [`account pause ${demo.id}`, '"Demo mailbox" is paused'],
    ['sync --account Demo', 'is looked at now (hint 7)'],
    ['account list', 'Demo mailbox  imap'],
  ])('%s', async (line, says) => {
    const { out, err, code } = await run(line);
    expect({ err, code }).toEqual({ err: '', code: 0 });
    expect(out).toContain(says);
  });

  it('shows the steps of a removal, and ends when there is no such account', async () => {
    const { out, code } = await run('account remove demo');
    expect(out.trim().split('\n')).toEqual([
      'nothing fetches or watches it any more',
      '"Demo mailbox" is removed',
    ]);
    expect(code).toBe(0);
  });

  it('prints JSON for programs', async () => {
    const { out } = await run('account list --json');
    expect(JSON.parse(out)).toEqual([demo]);
  });
});

describe('what goes wrong', () => {
  it.each([
    ['an unknown command', 'frobnicate', 2, '"frobnicate" is not a command'],
    ['an unknown option', 'status --wide', 2, "unknown option '--wide'"],
    [
      'an account that is not there',
      'sync --account eve',
      1,
      'no account is called "eve": there is "Demo mailbox"',
    ],
    ['an error of the API', 'status', 1, 'not connected to NATS (bus.disconnected)'],
    ['an answer of another shape', 'messages', 1, 'answered in an unexpected shape'],
    ['NATS that is not there', 'replay crm --from 2h', 1, 'cannot connect to NATS'],
  ])('%s is one line', async (_name, line, code, says) => {
    const result = await run(line);
    expect(result.err).toMatch(/^mailstream: [^\n]+\n$/);
    expect(result.err).toContain(says);
    expect(result.code).toBe(code);
  });

  it('a stack that does not run is one line that says how to start it', async () => {
    const { err, code } = await run('status', { env: { MAILSTREAM_URL: 'http://127.0.0.1:9' } });
    expect(err).toBe('mailstream: nobody answers at http://127.0.0.1:9: start Mailstream with `npm start`\n');
    expect(code).toBe(1);
  });

  it('a wrong token is said to be one', async () => {
    const { err } = await run('account list', { env: { MAILSTREAM_TOKEN: 'guess' } });
    expect(err).toContain('(auth.refused)');
  });
});

describe('api-key', () => {
  it('create shows the key alone on stdout, for a pipe', async () => {
    const { out, err } = await run('api-key create --name CRM --scopes messages:read,sync:write');
    expect(out).toBe('ms_0123456789ab_secret\n');
    expect(err).toContain('api-key revoke 0123456789ab');
    expect(keyCall).toEqual({ name: 'CRM', scopes: ['messages:read', 'sync:write'] });
  });

  it('list and revoke name it by its prefix, also when the whole key is given', async () => {
    expect((await run('api-key list')).out).toMatch(/0123456789ab +CRM +never +never +ada +messages:read/);
    expect((await run('api-key revoke ms_0123456789ab_secret')).out).toBe(
      'the API key 0123456789ab is revoked\n',
    );
    expect(keyCall).toEqual({ prefix: '0123456789ab' });
  });

  it('create wants scopes that there are', async () => {
    const { err, code } = await run('api-key create --name CRM --scopes mail');
    expect([err, code]).toEqual([expect.stringContaining('"mail" is not a scope; there is sync:write'), 2]);
  });
});

describe('token', () => {
  it('signs one that the services take', async () => {
    const env = { MAILSTREAM_JWT_KEY: TEST_AUTH.key ?? '' };
    const { out } = await run('token --scopes messages:read,admin --tenant acme --subject ada', { env });
    expect(await authenticate(`Bearer ${out.trim()}`)).toEqual({
      tenant: 'acme',
      subject: 'ada',
      scopes: ['messages:read', 'admin'],
    });
  });

  it.each([
    ['a secret that is too short', '--scopes all', 'secret', 1, 'at least 32 bytes'],
    ['a tenant that is none', '--scopes all --tenant a.b', TEST_AUTH.key ?? '', 2, '--tenant must be'],
    ['no scopes', '--tenant acme', TEST_AUTH.key ?? '', 2, '--scopes is missing'],
  ])('refuses %s', async (_name, options, MAILSTREAM_JWT_KEY, code, says) => {
    const result = await run(`token ${options}`, { env: { MAILSTREAM_JWT_KEY } });
    expect([result.err, result.code, result.out]).toEqual([expect.stringContaining(says), code, '']);
  });
});

it('doctor explains, and fails when something is broken', async () => {
  const { out, code } = await run('doctor');
  expect(out).toBe(
    'ok    NATS: answers\nFAIL  Demo mailbox: the credentials were rejected\n      → give new ones\nok    completeness: the view has all that providers listed last\n',
  );
  expect(code).toBe(1);
});
