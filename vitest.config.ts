import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Most of the long tests wait for processes, so more of them than there are processors run at once.
    maxWorkers: '200%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts', 'scripts/**/*.test.ts'],
          // Properties take thousands of steps, and two cores may be busy.
          testTimeout: 60_000,
          exclude: ['test/cluster/**', 'test/deploy/**', 'test/integration/**', 'test/contract/**'],
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts', 'test/deploy/**/*.test.ts', 'test/integration/**/*.test.ts'],
          globalSetup: ['test/cluster/program.ts', 'test/cluster/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          // The first run installs HolmesGPT.
          hookTimeout: 60 * 60_000,
          testTimeout: 60_000,
        },
      },
    ],
  },
});
