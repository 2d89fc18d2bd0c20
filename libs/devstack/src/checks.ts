/** The checks that need no server and no test: `verify` and `test` run them. */
import { join } from 'node:path';
import { REPO_ROOT } from './paths.ts';
import { type Stage, tool } from './stages.ts';

const CHART = 'chart';

const own = (name: string, file: string): Stage => ({
  name,
  command: process.execPath,
  args: [join(REPO_ROOT, 'libs/devstack/src', file)],
});

export const CHECKS: readonly Stage[] = [
  tool('lint', 'biome', 'ci', '--error-on-warnings', '--colors=off', '.'),
  tool('types', 'tsc'),
  own('walls', 'check-walls.ts'),
  tool('dead-code', 'knip', '--no-progress'),
  own('secrets', 'scan-secrets.ts'),
  own('advisories', 'audit-dependencies.ts'),
  own(CHART, 'check-chart.ts'),
];

/** What is asked for by name is worth bringing what it needs. */
export function byName(stage: Stage): Stage {
  return stage.name === CHART ? { ...stage, args: [...stage.args, '--build'] } : stage;
}
