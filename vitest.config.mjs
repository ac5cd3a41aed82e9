import { defineConfig } from 'vitest/config';

/** Tests that start containers, networks or the daemon are named `*.integration.test.ts`; they need root. */
const INTEGRATION = 'packages/*/src/**/*.integration.test.ts';

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'tools/**/*.test.ts'],
          exclude: [INTEGRATION, '**/node_modules/**'],
          // A busy machine is no failure.
          testTimeout: 30_000,
          hookTimeout: 30_000,
          pool: 'threads',
          maxWorkers: 2,
          // Unit tests share no state but modules; loading those once for each worker halves the time.
          isolate: false,
        },
      },
      {
        test: {
          name: 'integration',
          include: [INTEGRATION],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'end-to-end',
          include: ['tests/**/*.test.ts'],
          globalSetup: 'tests/teardown.ts',
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
