import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // No test changes a module: loading the service once for all files takes a third off the time.
    isolate: false,
    reporters: ['default', ['junit', { suiteName: 'addrservice' }]],
    outputFile: { junit: 'reports/junit.xml' },
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts'],
      exclude: ['lib/main.ts'],
      reporter: ['text-summary', 'html', 'cobertura'],
      reportsDirectory: 'reports/coverage',
      thresholds: { branches: 85, lines: 90 },
    },
  },
});
