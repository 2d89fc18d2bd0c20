/** What a command of `mailstream` is, and the two ways it says that it cannot go on. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
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

/** Something is wrong that the person can do something about; printed as one line, exit code 1. */
export class CliError extends Error {
  override readonly name = 'CliError';
}

/** The command line makes no sense; printed as one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Parses a command's arguments strictly; throws `UsageError`. `positionals` names those that are required, in order. */
export function parse<const O extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: O,
  positionals: readonly string[] = [],
) {
  const parsed = parseStrictly(args, options);
  if (parsed.positionals.length < positionals.length)
    throw new UsageError(`${positionals.slice(parsed.positionals.length).join(' and ')} missing`);
  const tooMany = parsed.positionals.at(positionals.length);
  if (tooMany !== undefined && parsed.positionals.length > positionals.length)
    throw new UsageError(`unexpected argument "${tooMany}"`);
  return parsed;
}

function parseStrictly<const O extends ParseArgsOptionsConfig>(args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Node's first sentence says it; the rest is about `--` and not for us.
    const [sentence = error.message] = error.message.split('. ');
    throw new UsageError(sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\n.*/s, ''));
  }
}

/** A whole number in a range, or a `UsageError` naming the option. */
export function wholeNumber(option: string, text: string, range: { min: number; max: number }): number {
  const number = Number(text);
  if (/^[0-9]+$/.test(text) && number >= range.min && number <= range.max) return number;
  throw new UsageError(`--${option} must be a whole number from ${range.min} to ${range.max}, not "${text}"`);
}
