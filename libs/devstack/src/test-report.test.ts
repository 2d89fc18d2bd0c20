/** The closing line of `npm test` never hides a failure. */
import { expect, test } from 'vitest';
import { countTests } from './test-report.ts';

const file = (status: string, tests: number) => ({ status, assertionResults: Array.from({ length: tests }) });

test('counts what the report says', () => {
  const report = {
    numPassedTests: 7,
    numFailedTests: 2,
    testResults: [file('passed', 5), file('failed', 4)],
  };
  expect(countTests(report)).toEqual({ passed: 7, failed: 2 });
});

test('a file that failed before its first test is a failure', () => {
  const report = {
    numPassedTests: 5,
    numFailedTests: 0,
    testResults: [file('passed', 5), file('failed', 0)],
  };
  expect(countTests(report)).toEqual({ passed: 5, failed: 1 });
});
