/** `doctor`: what was checked, what is wrong, and what mends it. */
import { DoctorReport, type Finding } from '@mailstream/contracts';
import { parse } from '../arguments.ts';
import type { Command, Context } from '../command.ts';
import { CliError } from '../errors.ts';
import { printable } from '../format.ts';

export const doctor: Command = {
  name: 'doctor',
  summary: 'Check everything and explain; exit code 1 when something is broken',
  usage: `[--json]

  --json   the findings as the API gives them`,
  async run(args, context) {
    const { values } = parse(args, { json: { type: 'boolean' } });
    const findings = await examine(context);
    if (values.json) context.out(JSON.stringify({ findings }));
    else for (const line of findings.flatMap(findingLines)) context.out(line);
    return findings.some(({ level }) => level === 'fail') ? 1 : 0;
  },
};

/** A stack that does not answer is a finding, too. */
async function examine(context: Context): Promise<readonly Finding[]> {
  try {
    return (await context.api().get(DoctorReport, '/v1/doctor')).findings;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [{ level: 'fail', check: 'the API answers', message: error.message, mend: null }];
  }
}

const MARKS = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const;

function findingLines({ level, check, message, mend }: Finding): string[] {
  const line = `${MARKS[level]}  ${printable(check)}: ${printable(message)}`;
  return mend === null ? [line] : [line, `      → ${printable(mend)}`];
}
