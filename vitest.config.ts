import { defineConfig } from 'vitest/config';
import { WaitingFirst } from './test/waiting-first.ts';

/** Tests that start processes, and need no API server but one of their own. */
const PROCESSES = [
  'test/cli/**/*.test.ts',
  'test/control-plane/**/*.test.ts',
  'test/detectors/real-*.test.ts',
  'test/image/**/*.test.ts',
  'test/monitoring/**/*.test.ts',
  'test/proxy/**/*.test.ts',
  'test/workflows/**/*.test.ts',
];
const CLUSTER = ['test/cluster/**/*.test.ts', 'test/deploy/**/*.test.ts', 'test/integration/**/*.test.ts'];
const CONTRACT = ['test/contract/**/*.test.ts'];

export default defineConfig({
  test: {
    // Most of the long tests wait for processes, so more of them than there are processors run at once.
    maxWorkers: '200%',
    sequence: { sequencer: WaitingFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: [...PROCESSES, ...CLUSTER, ...CONTRACT],
          // Properties take thousands of steps, and two cores may be busy.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'processes',
          include: PROCESSES,
          globalSetup: ['test/cluster/program.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'cluster',
          include: CLUSTER,
          globalSetup: ['test/cluster/program.ts', 'test/cluster/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'contract',
          include: CONTRACT,
          // The first run installs HolmesGPT.
          hookTimeout: 60 * 60_000,
          testTimeout: 60_000,
        },
      },
    ],
  },
});
