/** `doctor`: what was checked, what is wrong, and what mends it. */
import { DoctorReport, type Drift, type Finding, ProjectionStatus } from '@mailstream/contracts';
import { parse } from '../arguments.ts';
import type { Command, Context } from '../command.ts';
import { CliError } from '../errors.ts';
import { printable } from '../format.ts';

export const doctor: Command = {
  name: 'doctor',
  summary: 'Check everything and explain; exit code 1 when something is broken',
  usage: `[--strict] [--json]

  --strict   exit code 1 for warnings, too
  --json     {findings}: each with level, check, message and mend`,
  async run(args, context) {
    const { values } = parse(args, { json: { type: 'boolean' }, strict: { type: 'boolean' } });
    const findings = await examine(context);
    if (values.json) context.out(JSON.stringify({ findings }));
    else for (const line of findings.flatMap(findingLines)) context.out(line);
    return findings.some(({ level }) => level === 'fail' || (values.strict && level === 'warn')) ? 1 : 0;
  },
};

/** What the two services say of the installation. A service that does not answer is a finding, too. */
export async function examine(context: Pick<Context, 'api'>): Promise<readonly Finding[]> {
  const ask = async (check: string, findings: () => Promise<readonly Finding[]>) => {
    try {
      return await findings();
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      return [{ level: 'fail' as const, check, message: error.message, mend: START_IT }];
    }
  };
  const [orchestrator, projector] = await Promise.all([
    ask('the API answers', async () => (await context.api().get(DoctorReport, '/v1/doctor')).findings),
    ask('the view answers', async () => [
      driftFinding((await context.api().get(ProjectionStatus, '/v1/projection/status')).drift),
    ]),
  ]);
  return [...orchestrator, ...projector];
}

/** Also when PostgreSQL or NATS is what they miss: they are there again when that is. */
const START_IT =
  'start what it names (docker compose up --detach, kubectl rollout restart, or npm start): the others wait for it and go on by themselves; the /readyz of each service says what it misses';

function driftFinding(drift: readonly Drift[]): Finding {
  const check = 'completeness';
  const worst = drift.toSorted((a, b) => b.drift - a.drift)[0];
  if (!worst)
    return { level: 'ok', check, message: 'the view has all that providers listed last', mend: null };
  return {
    level: 'warn',
    check,
    message: `${worst.path} of account ${worst.account} lacks ${worst.drift} messages that its provider listed (${drift.length} mailboxes in all)`,
    mend: `mailstream sync --account ${worst.account}: they are asked for by then at the latest, and the next comparison (once a day) says whether they came`,
  };
}

const MARKS = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const;

export function findingLines({ level, check, message, mend }: Finding): string[] {
  const line = `${MARKS[level]}  ${printable(check)}: ${printable(message)}`;
  return mend === null ? [line] : [line, `      → ${printable(mend)}`];
}
