/** Reading a command's arguments strictly. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { UsageError } from './errors.ts';

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
