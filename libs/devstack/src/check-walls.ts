/** Checks who imports whom (`.dependency-cruiser.mjs`). Finding no modules at all is a failure too, not a clean bill. */
import { spawnSync } from 'node:child_process';
import { REPO_ROOT } from './paths.ts';

const cruise = spawnSync(
  'node_modules/.bin/depcruise',
  ['--config', '.dependency-cruiser.mjs', '--output-type', 'err-long', 'libs', 'services', 'examples'],
  { cwd: REPO_ROOT, encoding: 'utf8' },
);
console.log(cruise.stdout + cruise.stderr);
const modules = Number(/(\d+) modules/.exec(cruise.stdout)?.[1] ?? 0);
if (modules === 0) console.log('no modules were cruised: the configuration finds none of the sources');
process.exit(cruise.status === 0 && modules > 0 ? 0 : 1);
