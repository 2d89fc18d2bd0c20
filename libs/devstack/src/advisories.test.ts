/** What becomes of an audit of the dependencies, by what the registry said. */
import { expect, it } from 'vitest';
import { judgeAudit } from './advisories.ts';

const advisory = {
  module_name: 'left-pad',
  severity: 'high',
  title: 'Pads too much',
  github_advisory_id: 'GHSA-aaaa-bbbb-cccc',
};
const report = (...advisories: object[]) =>
  JSON.stringify({ advisories: Object.fromEntries(advisories.map((one, at) => [at, one])), metadata: {} });
const allowed = { id: 'GHSA-aaaa-bbbb-cccc', reason: 'nothing here pads from the left', until: '2027-01-01' };
const judge = (output: string, list = [allowed]) => judgeAudit(output, list, '2026-11-21');

it('an advisory that is not on the list fails, one that is does not', () => {
  const found = 'left-pad: Pads too much (high, GHSA-aaaa-bbbb-cccc)';
  expect(judge(report(advisory), [])).toEqual({ outcome: 'asked', problems: [found] });
  expect(judge(report(advisory))).toEqual({ outcome: 'asked', problems: [] });
  expect(judgeAudit(report(advisory), [allowed], '2027-01-01')).toEqual({
    outcome: 'asked',
    problems: [found],
  });
  const url = 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc';
  expect(judge(report({ ...advisory, github_advisory_id: undefined, url }))).toEqual({
    outcome: 'asked',
    problems: [],
  });
});

it('what is on the list and concerns nothing any more is told', () => {
  expect(judge(report())).toMatchObject({ problems: [expect.stringContaining('take it out')] });
  expect(judge(report(), [])).toEqual({ outcome: 'asked', problems: [] });
});

it('no report is no clean bill', () => {
  const error = {
    error: { code: 'ERR_PNPM_AUDIT_BAD_RESPONSE', message: 'The audit endpoint responded with 405: ' },
  };
  expect(judge(JSON.stringify(error))).toEqual({
    outcome: 'not_asked',
    why: 'The audit endpoint responded with 405:',
  });
  for (const output of ['', 'null', '{}', '{"advisories":[1]}', 'ENOTFOUND'])
    expect(judge(output)).toMatchObject({ outcome: 'not_asked' });
});
