import type { DoctorReport, ProjectionStatus } from '@mailstream/contracts';
import { expect, it } from 'vitest';
import type { Api } from '../api.ts';
import type { Context } from '../command.ts';
import { CliError } from '../errors.ts';
import { doctor } from './doctor.ts';

const warning = {
  level: 'warn' as const,
  check: 'parked events',
  message: '1',
  mend: 'mailstream parked list',
};
const drift = [
  { account: 'a1', mailbox: 'k', path: 'INBOX', drift: 2 },
  { account: 'a2', mailbox: 'l', path: 'Work', drift: 9 },
];

/** Runs `doctor` on what the two services would answer; one that is left out does not answer. */
async function run(args: string[], doctorReport?: DoctorReport, drifting?: ProjectionStatus['drift']) {
  const answers: Record<string, unknown> = {
    '/v1/doctor': doctorReport,
    '/v1/projection/status': drifting && { partitions: [], incidents: [], parked: 0, drift: drifting },
  };
  const get = async (_schema: unknown, path: string) => {
    if (!answers[path]) throw new CliError(`nobody answers ${path}`);
    return answers[path];
  };
  const lines: string[] = [];
  const context = {
    api: () => ({ get }) as Api,
    out: (line: string) => lines.push(line),
  } as Partial<Context>;
  return { code: await doctor.run(args, context as Context), lines };
}

it('exits with 0 while nothing is broken; warnings count when they are asked for', async () => {
  expect((await run([], { findings: [] }, [])).code).toBe(0);
  expect((await run([], { findings: [warning] }, [])).code).toBe(0);
  expect((await run(['--strict'], { findings: [warning] }, [])).code).toBe(1);
  expect((await run(['--strict'], { findings: [] }, [])).code).toBe(0);
});

it('names the mailbox that lacks most, with the command', async () => {
  const { code, lines } = await run(['--strict'], { findings: [] }, drift);
  expect(code).toBe(1);
  expect(lines).toEqual([
    'WARN  completeness: Work of account a2 lacks 9 messages that its provider listed (2 mailboxes in all)',
    expect.stringMatching(/^ +→ mailstream sync --account a2/),
  ]);
});

it('is broken when a service does not answer, and tells what the other says', async () => {
  const { code, lines } = await run([], undefined, []);
  expect(code).toBe(1);
  expect(lines[0]).toBe('FAIL  the API answers: nobody answers /v1/doctor');
  expect(lines[1]).toMatch(/^ +→ start what it names/);
  expect(lines[2]).toMatch(/^ok +completeness/);
  const json = await run(['--json'], { findings: [warning] });
  expect(JSON.parse(json.lines[0] ?? '').findings).toEqual([
    warning,
    {
      level: 'fail',
      check: 'the view answers',
      message: 'nobody answers /v1/projection/status',
      mend: expect.any(String),
    },
  ]);
});
