// Three test tiers as three projects: pure, integration (real NATS and PostgreSQL), end to end (the services as processes).
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const backends = 'libs/testing/src/global-setup.ts';
const sources = ['libs/*/src/**', 'services/*/src/**', 'examples', 'deploy/k8s/check'];

/** The longest begin first: one that begins last is waited for alone. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]) {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** They set what a process has one of. */
const ALONE = ['**/spans.test.ts'];

const LONG = ['kill.e2e.test.ts', 'log-loss.e2e.test.ts', 'mailbox.e2e.test.ts', 'upgrade.e2e.test.ts'];

export default defineConfig({
  test: {
    // Tests of whole processes wait more than they work.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'pure',
          // They have nothing to hide from one another: a process each would be two thirds of their time.
          isolate: false,
          // Properties run hundreds of cases: a busy machine must not turn slow into wrong.
          testTimeout: 30_000,
          hookTimeout: 30_000,
          include: sources.map((dir) => `${dir}/*.test.ts`),
          exclude: ['**/*.int.test.ts', '**/*.e2e.test.ts', '**/*.chart.test.ts', ...ALONE],
        },
      },
      { test: { name: 'pure-alone', include: ALONE } },
      {
        test: {
          name: 'integration',
          include: sources.map((dir) => `${dir}/*.int.test.ts`),
          globalSetup: backends,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['libs/testing/e2e/**/*.e2e.test.ts'],
          globalSetup: backends,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Each file runs the whole product, and mostly waits for it.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
