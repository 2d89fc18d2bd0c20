/** Finds helm: on PATH, or in the project's cache, where `npm run verify -- chart` has Go build it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { childEnv } from './env.ts';
import { CACHE_DIR } from './paths.ts';

const MODULE = 'helm.sh/helm/v3/cmd/helm@v3.22.0';
const CACHED = join(CACHE_DIR, 'helm', 'helm');

/** Null when there is none. */
export function findHelm(): string | null {
  if (existsSync(CACHED) && works(CACHED)) return CACHED;
  return works('helm') ? 'helm' : null;
}

/** Has Go build it into `.cache`, in two minutes or three. Nothing else of it stays. Throws what Go said. */
export function buildHelm(): string {
  const work = join(CACHE_DIR, `helm-${process.pid}`);
  mkdirSync(work, { recursive: true });
  try {
    execFileSync('go', ['install', '-trimpath', '-ldflags=-s -w', MODULE], {
      // Outside of any module of Go's. Files that cannot be written could not be taken away again.
      cwd: work,
      env: childEnv({
        GOPATH: join(work, 'go'),
        GOCACHE: join(work, 'cache'),
        GOBIN: join(work, 'bin'),
        GOFLAGS: '-modcacherw',
        CGO_ENABLED: '0',
      }),
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    mkdirSync(join(CACHE_DIR, 'helm'), { recursive: true });
    renameSync(join(work, 'bin', 'helm'), CACHED);
    return CACHED;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Whether this program is a helm of version 3 or 4. */
function works(program: string): boolean {
  try {
    const version = execFileSync(program, ['version', '--short'], { encoding: 'utf8', stdio: 'pipe' });
    return /^v[34]\./.test(version);
  } catch {
    return false;
  }
}
