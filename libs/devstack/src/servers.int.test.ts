/** The local servers: they start, survive kill -9, and take over from a run that was killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { isRunning } from './child.ts';
import { startNats } from './nats-server.ts';
import { startPostgres } from './postgres.ts';

const dir = mkdtempSync(join(tmpdir(), 'mailstream-servers-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe.each([
  { name: 'nats-server', start: startNats },
  { name: 'PostgreSQL', start: startPostgres },
])('$name', ({ name, start }) => {
  test('starts again at the same port after kill -9', async () => {
    const first = await start({ dir: join(dir, name) });
    await first.kill();
    const second = await start({ dir: join(dir, name), port: first.port });
    expect(second.url).toBe(first.url);
    await second.stop();
    expect(second.child.ended()).toBe('exit code 0');
  });

  test('works in a directory that only its owner may enter', async () => {
    const server = await start({ dir: mkdtempSync(join(dir, 'closed-')) });
    await server.stop();
    expect(server.child.ended()).toBe('exit code 0');
  });

  test('replaces a server that a killed run left behind', async () => {
    const left = await start({ dir: join(dir, name) });
    const next = await start({ dir: join(dir, name), port: left.port });
    expect(await left.child.exited).toBe('exit code 0');
    await next.stop();
  });

  test('says what the server said when it cannot start', async () => {
    const taken = await start({ dir: join(dir, `${name} 1`) });
    await expect(start({ dir: join(dir, `${name} 2`), port: taken.port })).rejects.toThrow(
      /address already in use/i,
    );
    await taken.stop();
  });
});

test.runIf(process.platform === 'linux')('servers do not outlive the process that started them', async () => {
  const home = join(dir, 'orphan');
  const script = `const { startNats } = await import(${JSON.stringify(import.meta.resolve('./nats-server.ts'))});
    const { child } = await startNats({ dir: ${JSON.stringify(home)} });
    console.log(child.pid);`;
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(owner.stdout, 'data');
  const pid = Number(line);
  expect(isRunning(pid, home)).toBe(true);
  owner.kill('SIGKILL');
  await expect.poll(() => isRunning(pid, home), { timeout: 5_000 }).toBe(false);
});

test('PostgreSQL redoes a set-up that was interrupted', async () => {
  const home = join(dir, 'interrupted');
  mkdirSync(join(home, 'new-1', 'base'), { recursive: true });
  writeFileSync(join(home, 'password'), 'of the interrupted run');
  const server = await startPostgres({ dir: home });
  await server.stop();
  expect(server.url).not.toContain('interrupted');
});
