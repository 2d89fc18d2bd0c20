/** The chart, rendered by helm as it would be installed. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findHelm } from '@mailstream/devstack';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from './schemas.ts';

const HELM = findHelm() ?? 'helm';

const CHART = fileURLToPath(new URL('../mailstream/', import.meta.url));

/** Values that are tried, by name. */
export const VALUES = readdirSync(join(CHART, 'ci')).map((file) => basename(file, '.yaml'));

interface Outcome {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs helm on the chart for a Kubernetes of today, with the values of `ci/<values>.yaml` and these beside them. */
export function helm(command: 'lint' | 'template', values: string, ...more: string[]): Outcome {
  const { status, error, stdout, stderr } = spawnSync(
    HELM,
    [command, ...(command === 'lint' ? ['--strict'] : ['mailstream', '--namespace', 'mail']), CHART]
      .concat('--kube-version', '1.36.0', '--values', join(CHART, 'ci', `${values}.yaml`))
      .concat(more),
    { encoding: 'utf8' },
  );
  if (error) throw error;
  return { ok: status === 0, stdout, stderr };
}

/** Throws what helm said when it renders nothing. */
export function render(values: string, ...more: string[]): KubeObject[] {
  const { ok, stdout, stderr } = helm('template', values, ...more);
  if (!ok) throw new Error(stderr);
  return parseAllDocuments(stdout, { merge: true })
    .map((document): KubeObject | null => document.toJS())
    .filter((object) => object !== null);
}
