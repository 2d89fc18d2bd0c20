/** What a command of `mailstream` is. */
import type { Api } from './api.ts';
import type { Stack } from './stack.ts';

/** What a command may use. `stack` and `api` throw a `CliError` when the stack is not running. */
export interface Context {
  stack(): Stack;
  api(): Api;
  /** One line for the reader, on stdout. */
  out(line: string): void;
  /** One line about what is going on, on stderr. */
  note(line: string): void;
  /** Width of the terminal in columns; infinite when the output goes elsewhere. */
  readonly width: number;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface Command {
  /** One or more words: `account add imap`. */
  readonly name: string;
  readonly summary: string;
  /** What `--help` prints after the name: arguments on the first line, then the options. */
  readonly usage: string;
  /** Returns the exit code. */
  run(args: readonly string[], context: Context): Promise<number>;
}
