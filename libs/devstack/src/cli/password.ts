/** A secret from a person: typed without echo, piped, or from the environment; never an argument, which others can read. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { variable } from '../env.ts';
import { CliError } from './errors.ts';

/** Throws `CliError` when none was given. */
export async function readPassword(question: string, signal: AbortSignal): Promise<string> {
  const given =
    variable('MAILSTREAM_PASSWORD') ??
    (process.stdin.isTTY ? await ask(question, signal) : firstLine(await text(process.stdin)));
  if (given === '')
    throw new CliError('no password was given: type it when asked, pipe it in, or set MAILSTREAM_PASSWORD');
  return given;
}

function firstLine(piped: string): string {
  return piped.split(/\r?\n/, 1)[0] ?? '';
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  process.stderr.write(question);
  try {
    // In raw mode Ctrl-C is a key, not a signal.
    return await Promise.race([
      lines.question('', { signal }),
      new Promise<never>((_resolve, reject) => {
        lines.once('SIGINT', () => reject(new CliError('stopped')));
        lines.once('close', () => reject(new CliError('stopped')));
      }),
    ]);
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
