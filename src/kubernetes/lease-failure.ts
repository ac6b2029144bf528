import { ClusterError, type UserError } from '../model/errors.ts';
import type { LeaseName } from './leases.ts';
import { clusterError, isStatus } from './status.ts';

const RIGHTS = { hold: '"get", "create" and "update"', watch: '"list" and "watch"' };

/** Explains why a Lease cannot be held or watched, and what to do. @param server URL of the API server */
export function leaseFailure(
  doing: keyof typeof RIGHTS,
  { namespace, name }: LeaseName,
  error: unknown,
  server: string,
): UserError {
  const what = `${doing} Lease ${namespace}/${name}`;
  const fix = isStatus(error, 403)
    ? `grant ${RIGHTS[doing]} on leases.coordination.k8s.io "${name}" in namespace ${namespace} with a Role`
    : isStatus(error, 404)
      ? `create the namespace ${namespace}, or choose another`
      : undefined;
  if (fix === undefined) return clusterError(error, what, server);
  return new ClusterError(`cannot ${what}: ${(error as Error).message}; ${fix}`, { cause: error });
}
