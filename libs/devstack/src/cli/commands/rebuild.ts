/** `rebuild`: makes a projection anew from the log, beside the live one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ProjectionStatus } from '@mailstream/contracts';
import { childEnv, variable } from '../../env.ts';
import { NODE_FLAGS } from '../../node-flags.ts';
import { REPO_ROOT } from '../../paths.ts';
import { readRunState } from '../../state.ts';
import { parse } from '../arguments.ts';
import type { Command } from '../command.ts';
import { CliError, UsageError } from '../errors.ts';

/** What can be made anew, and the process that does. */
const PROJECTIONS: Readonly<Record<string, string>> = {
  view: 'services/mailbox-projector/src/rebuild/main.ts',
};

export const rebuild: Command = {
  name: 'rebuild',
  summary: 'Make a projection anew from the log beside the live one, compare, and put it in its place',
  usage: `<projection> [options]

  view                   accounts, mailboxes, messages, threads, cursors and runs: all that the API reads
  --accept-differences   put the new tables in place even where the live ones are not what the log says; without it, what differs
                         is reported and nothing is changed (exit code 2)
  --drop                 take away what an interrupted or undecided rebuild has built
  --status               how far the one is that runs, or how the last one ended
  --json                 one line

Services go on meanwhile; interrupted, the same command goes on. It needs as much free disk as the tables have, and a log that is kept
whole. It logs in as the owner of the tables (MIGRATION_DATABASE_URL, else DATABASE_URL) and as the operator on NATS. Permissions that were
given on the tables by hand have to be given again.`,
  async run(args, context) {
    const { values, positionals } = parse(
      args,
      {
        'accept-differences': { type: 'boolean' },
        drop: { type: 'boolean' },
        status: { type: 'boolean' },
        json: { type: 'boolean' },
      },
      ['<projection>'],
    );
    const [projection = ''] = positionals;
    const main = Object.hasOwn(PROJECTIONS, projection) ? PROJECTIONS[projection] : undefined;
    if (main === undefined)
      throw new UsageError(
        `"${projection}" is no projection; there is ${Object.keys(PROJECTIONS).join(', ')}`,
      );
    if (values.status) {
      const { rebuild: status } = await context.api().get(ProjectionStatus, '/v1/projection/status');
      context.out(values.json ? JSON.stringify(status) : statusLine(status));
      return 0;
    }
    const options = args.filter((argument) => argument.startsWith('-'));
    const child = spawn(process.execPath, [...NODE_FLAGS, join(REPO_ROOT, main), ...options], {
      stdio: 'inherit',
      env: childEnv(servers()),
    });
    const stop = () => child.kill('SIGTERM');
    context.signal.addEventListener('abort', stop);
    const [code] = await once(child, 'exit');
    return typeof code === 'number' ? code : 1;
  },
};

/** Those of the `npm start` that runs here, unless the environment names others. */
function servers(): Record<string, string> {
  const given = variable('DATABASE_URL') ?? variable('MIGRATION_DATABASE_URL');
  const state = readRunState();
  if (given !== undefined || state === undefined) {
    if (variable('NATS_URL') === undefined || given === undefined)
      throw new CliError(
        'set DATABASE_URL (the login that owns the tables) and NATS_URL, or start Mailstream with `npm start`',
      );
    return {};
  }
  return { NATS_URL: state.natsUrl, DATABASE_URL: state.databaseUrl };
}

export function statusLine(status: ProjectionStatus['rebuild']): string {
  if (status === null) return 'there was no rebuild';
  const { stage, events, remaining, eventsPerSecond, secondsLeft, differences, updatedAt } = status;
  const rate = eventsPerSecond === null ? '' : `, ${Math.round(eventsPerSecond)}/s`;
  const left = secondsLeft === null || stage === 'done' ? '' : `, ${secondsLeft} s left`;
  const found = differences.map(({ table, kind, rows }) => `; ${table}: ${rows} ${kind}`).join('');
  return `${stage}: ${events} facts done, ${remaining} behind${rate}${left}${found} (at ${updatedAt})`;
}
