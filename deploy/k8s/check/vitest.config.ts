// What needs helm: `npm run verify -- chart` runs it.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['deploy/k8s/check/*.chart.test.ts'], testTimeout: 60_000, hookTimeout: 120_000 },
});
