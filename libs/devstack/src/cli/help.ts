/** What `help` and `--help` print. */
import type { Command } from './command.ts';
import { table } from './format.ts';

const RUN = 'npm run mailstream --';

export function overview(commands: readonly Command[]): string {
  const rows = commands.map((command) => [`  ${command.name}`, command.summary]);
  return [
    `Usage: ${RUN} <command> [options]`,
    '',
    ...table(null, rows),
    '',
    'An account is named by its id, its name, or the beginning of either.',
    `More about one: ${RUN} help <command>. For output that programs read: npm run -s mailstream -- <command> --json`,
    'It talks to the stack that `npm start` runs, or to the one that MAILSTREAM_URL, MAILSTREAM_TOKEN (a token or an API key) and NATS_URL name.',
  ].join('\n');
}

export function commandHelp({ name, summary, usage }: Command): string {
  return `${summary}\n\nUsage: ${RUN} ${name} ${usage}`.trimEnd();
}
