/** Checks that run at the same time, each shown when it is done: one line when it passed, and what it notes; its output when it failed. */
import { spawn } from 'node:child_process';
import { childEnv } from './env.ts';
import { REPO_ROOT } from './paths.ts';

export interface Stage {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** A program from the root's `node_modules/.bin`. */
export function tool(name: string, program: string, ...args: string[]): Stage {
  return { name, command: `node_modules/.bin/${program}`, args };
}

/** Runs them all and returns the names of those that failed. */
export async function runStages(stages: readonly Stage[]): Promise<string[]> {
  const results = await Promise.all(stages.map(runStage));
  return results.filter((result) => !result.passed).map((result) => result.name);
}

async function runStage({ name, command, args }: Stage): Promise<{ name: string; passed: boolean }> {
  const started = Date.now();
  const { code, output } = await capture(command, args);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const passed = code === 0;
  console.log(`${passed ? '✓' : '✗'} ${name.padEnd(12)} ${seconds.padStart(5)} s`);
  const notes = output.split('\n').filter((line) => line.startsWith('note: '));
  if (!passed) console.log(`${output.trimEnd()}\n`);
  else for (const note of notes) console.log(`  ${note}`);
  return { name, passed };
}

function capture(command: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: REPO_ROOT,
      env: childEnv({}),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
