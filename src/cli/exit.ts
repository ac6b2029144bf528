import { ClusterError, ConfigError, IncompleteError } from '../model/errors.ts';

/**
 * Exit codes of the command line: fine, findings, usage or configuration, cluster unreachable or denied, and done but
 * for what goes with it.
 */
export const EXIT = { ok: 0, findings: 1, usage: 2, cluster: 3, incomplete: 4 } as const;

/** The exit code that an error comes to. Faults of the program itself count as findings. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return EXIT.usage;
  if (error instanceof ClusterError) return EXIT.cluster;
  if (error instanceof IncompleteError) return EXIT.incomplete;
  return EXIT.findings;
}
