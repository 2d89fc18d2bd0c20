/** The package as it would be published: packed, unpacked in another project, typed there, and run there by plain Node. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChangeWorld, createChangeWorld, newAccount } from './testkit.ts';

const exec = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const NPM = {
  '@nats-io': 'bus',
  '@opentelemetry': 'runtime',
  pino: 'runtime',
  typebox: 'client',
  '@types': '..',
};

const USER = `
import { connectMailstream, type Change, type Mailstream } from '@mailstream/client';

const mailstream: Mailstream = await connectMailstream({ natsUrl: process.argv[2]! });
const tenant = 'acme';
for await (const change of mailstream.follow({ tenant, types: ['message.created'], from: 'beginning' }, AbortSignal.timeout(30_000))) {
  const { event }: Change<'message.created'> = change;
  // @ts-expect-error an event has no such field: were the types lost, this would be no error
  event.noSuchField;
  console.log(event.data.state.subject);
  break;
}
await mailstream.close();
`;

let project: string;
let installed: string;
let world: ChangeWorld;

/** As `npm install` would leave it: the package itself, and beside it what it depends on. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'mailstream-client-'));
  installed = join(project, 'node_modules/@mailstream/client');
  await mkdir(installed, { recursive: true });
  const pnpm = [join(ROOT, 'libs/devstack/bootstrap/main.mjs'), 'pnpm'];
  const pack = ['--filter', '@mailstream/client', 'pack', '--pack-destination', project];
  await exec(process.execPath, [...pnpm, ...pack], { cwd: ROOT });
  const [tarball] = (await readdir(project)).filter((name) => name.endsWith('.tgz'));
  await exec('tar', ['-xzf', join(project, tarball ?? ''), '-C', installed, '--strip-components=1']);
  for (const [name, lib] of Object.entries(NPM)) {
    await symlink(join(ROOT, 'libs', lib, 'node_modules', name), join(project, 'node_modules', name));
  }
  await writeFile(join(project, 'package.json'), '{"type":"module"}');
  await writeFile(join(project, 'user.ts'), USER);
  world = await createChangeWorld();
});

afterAll(async () => {
  await world?.close();
  if (project !== undefined) await rm(project, { recursive: true, force: true });
});

it('needs nothing that npm does not have', async () => {
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  expect(Object.keys(manifest.dependencies).filter((name) => name.startsWith('@mailstream/'))).toEqual([]);
  expect(Object.values<string>(manifest.dependencies).filter((range) => !/^\d/.test(range))).toEqual([]);
  const files = await readdir(installed);
  expect(files).toContain('index.mjs');
  const known = [...Object.keys(manifest.dependencies), 'node:', './'];
  for (const file of files.filter((name) => /\.d?\.?mts$|\.mjs$/.test(name))) {
    const text = await readFile(join(installed, file), 'utf8');
    const imports = [...text.matchAll(/^(?:import|export) [^'"]*['"]([^'"]+)['"]/gm)].map(([, from]) => from);
    expect(imports.filter((from) => !known.some((name) => from?.startsWith(name)))).toEqual([]);
  }
});

it('is typed, and follows changes', async () => {
  const strict = ['--strict', '--target', 'es2024', '--lib', 'es2024,esnext.disposable', '--types', 'node'];
  const modules = ['--module', 'nodenext', '--moduleResolution', 'nodenext'];
  const tsc = [join(ROOT, 'node_modules/typescript/bin/tsc'), ...strict, ...modules, 'user.ts'];
  const typed = await exec(process.execPath, tsc, { cwd: project }).catch(
    (error: { stdout: string }) => error,
  );
  expect(typed.stdout).toBe('');
  await world.publish(newAccount(), 'hello from the package');
  const { stdout } = await exec(process.execPath, ['user.js', world.nats.url], { cwd: project });
  expect(stdout.trim()).toBe('hello from the package');
  // The compiler reads the types of all that it depends on.
}, 180_000);
