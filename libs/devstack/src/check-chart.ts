/** Renders the Helm chart with many values and checks every object. Needs helm: `--build` has it built, otherwise it is said that nothing was checked. */
import { spawnSync } from 'node:child_process';
import { buildHelm, findHelm } from './helm.ts';
import { REPO_ROOT } from './paths.ts';

function helmIsThere(): boolean {
  if (findHelm() !== null) return true;
  if (!process.argv.includes('--build')) {
    console.log(
      'note: the Helm chart was not checked, there is no helm: `npm run verify -- chart` builds it',
    );
    return false;
  }
  try {
    buildHelm();
    return true;
  } catch (error) {
    console.log(
      `The chart cannot be checked without helm. Install helm 3 so that it is on PATH, or Go, which builds it.\n${error}`,
    );
    process.exit(1);
  }
}

if (helmIsThere()) {
  const { stdout, stderr, status } = spawnSync(
    'node_modules/.bin/vitest',
    ['run', '--config', 'deploy/k8s/check/vitest.config.ts', '--reporter', 'dot'],
    { cwd: REPO_ROOT, encoding: 'utf8' },
  );
  if (status !== 0) console.log(stdout + stderr);
  process.exit(status ?? 1);
}
