// Three test tiers as three projects: pure, integration (real NATS and PostgreSQL), end to end (the services as processes).
import { defineConfig } from 'vitest/config';

const backends = 'libs/testing/src/global-setup.ts';
const sources = ['libs/*/src/**', 'services/*/src/**', 'examples', 'deploy/k8s/check'];

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'pure',
          // Properties run hundreds of cases: a busy machine must not turn slow into wrong.
          testTimeout: 30_000,
          hookTimeout: 30_000,
          include: sources.map((dir) => `${dir}/*.test.ts`),
          exclude: ['**/*.int.test.ts', '**/*.e2e.test.ts', '**/*.chart.test.ts'],
        },
      },
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
