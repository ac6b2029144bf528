import { globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
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
  'test/replay/**/*.test.ts',
  'test/workflows/**/*.test.ts',
];
const CLUSTER = ['test/cluster/**/*.test.ts', 'test/deploy/**/*.test.ts', 'test/integration/**/*.test.ts'];
const CONTRACT = ['test/contract/**/*.test.ts'];
const UNIT = ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts', 'scripts/**/*.test.ts'];
/** Unit tests that replace modules: they need a module graph of their own, which all others share. */
const ISOLATED = globSync(UNIT).filter((file) => readFileSync(file, 'utf8').includes('vi.mock('));
/** Properties take thousands of steps, and two cores may be busy. */
const UNIT_TIMEOUT = 60_000;

export default defineConfig({
  test: {
    // Most of the long tests wait for processes, so more of them than there are processors run at once.
    // More than 100 % would count as 100 %.
    maxWorkers: 2 * availableParallelism(),
    sequence: { sequencer: WaitingFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: UNIT,
          exclude: [...PROCESSES, ...CLUSTER, ...CONTRACT, ...ISOLATED],
          isolate: false,
          testTimeout: UNIT_TIMEOUT,
        },
      },
      {
        test: {
          name: 'unit-isolated',
          include: ISOLATED,
          testTimeout: UNIT_TIMEOUT,
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
