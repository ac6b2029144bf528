/** What `npm run mutants` gives its worker, and what the worker writes, one JSON object a line. */

/** Names the environment variable with the path of the job. */
export const RUN_FILE = 'DYNAMIC_TOOLSET_MUTANTS';

export interface Job {
  /** The IDs of the mutants that no test killed so far. */
  readonly alive: readonly number[];
  /** Milliseconds beyond which a test is not run for each mutant. */
  readonly slow: number;
  /** The file that outcomes are appended to. */
  readonly results: string;
}

export interface Outcome {
  /** The file of tests. */
  readonly file: string;
  readonly id?: number;
  readonly killed?: boolean;
  /** The worker is of no use any more: a test of this mutant does not end. */
  readonly hangs?: boolean;
  /** A mutant whose tests are about to run. One without an outcome took its worker down. */
  readonly begun?: number;
  readonly done?: boolean;
  /** Milliseconds for all mutants of a file of tests. */
  readonly took?: number;
  readonly broken?: string;
}
