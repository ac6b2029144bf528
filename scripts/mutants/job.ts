/** The job of a worker of `npm run mutants`, and its results, one JSON object per line. */

/** Names the environment variable with the path of the job. */
export const RUN_FILE = 'DYNAMIC_TOOLSET_MUTANTS';

export interface Job {
  /** The IDs of the mutants that no test has killed so far. */
  readonly alive: readonly number[];
  /** Tests that take longer, in milliseconds, are not run for each mutant. */
  readonly slow: number;
  /** The file that outcomes are appended to. */
  readonly results: string;
}

export interface Outcome {
  /** The test file. */
  readonly file: string;
  readonly id?: number;
  readonly killed?: boolean;
  /** A test of this mutant does not end, so the worker is unusable. */
  readonly hangs?: boolean;
  /** A mutant whose tests are about to run. One without an outcome crashed its worker. */
  readonly begun?: number;
  readonly done?: boolean;
  /** Milliseconds for all mutants of a test file. */
  readonly took?: number;
  readonly broken?: string;
}
