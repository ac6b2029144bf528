import { ClusterError, ConfigError, IncompleteError } from '../model/errors.ts';

/**
 * Exit codes: success; findings; wrong usage or configuration; cluster unreachable or access denied; done, except for
 * a follow-up step.
 */
export const EXIT = { ok: 0, findings: 1, usage: 2, cluster: 3, incomplete: 4 } as const;

/** Maps an error to its exit code. Bugs in the program count as findings. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return EXIT.usage;
  if (error instanceof ClusterError) return EXIT.cluster;
  if (error instanceof IncompleteError) return EXIT.incomplete;
  return EXIT.findings;
}
