/** `npm run mailstream -- …`: finds the command, runs it, and turns what went wrong into one line and an exit code. */
import { createApi } from './api.ts';
import type { Context } from './command.ts';
import { COMMANDS, findCommand } from './commands.ts';
import { CliError, UsageError } from './errors.ts';
import { commandHelp, overview } from './help.ts';
import { findStack } from './stack.ts';

const stop = new AbortController();
// Ctrl-C arrives more than once: from the terminal, from npm, from the bootstrap.
process.on('SIGINT', () => stop.abort());
process.on('SIGTERM', () => stop.abort());
// Whoever reads us (`| head`) may have enough before we are done.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const context: Context = {
  stack: findStack,
  api: () => createApi(findStack()),
  out: (line) => void process.stdout.write(`${line}\n`),
  note: (line) => void process.stderr.write(`${line}\n`),
  width: process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY,
  signal: stop.signal,
};

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    if (args.length === 0 || ['help', '--help', '-h'].includes(args[0] ?? '')) {
      const asked = args.length > 1 ? findCommand(args.slice(1)) : null;
      context.out(asked ? commandHelp(asked.command) : overview(COMMANDS));
      return 0;
    }
    const { command, rest } = findCommand(args);
    if (rest.includes('--help') || rest.includes('-h')) {
      context.out(commandHelp(command));
      return 0;
    }
    return await command.run(rest, context);
  } catch (error) {
    if (stop.signal.aborted) return 130;
    if (error instanceof UsageError) {
      context.note(`mailstream: ${error.message}; see \`npm run mailstream -- help\``);
      return 2;
    }
    if (!(error instanceof CliError)) throw error;
    context.note(`mailstream: ${error.message}`);
    return 1;
  }
}
