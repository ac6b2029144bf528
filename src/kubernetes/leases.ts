import type { Kube } from './connection.ts';
import { ApiStatusError, isStatus } from './status.ts';

/** Where a Lease is. */
export interface LeaseName {
  readonly namespace: string;
  readonly name: string;
}

/** What we write into the `spec` of a Lease. Times are RFC 3339 with microseconds; they are for people only. */
export interface LeaseSpec {
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly leaseTransitions: number;
}

/** A `coordination.k8s.io/v1` Lease as the API server gave it; what its `spec` holds is for the reader to check. */
export interface Lease {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly spec?: unknown;
}

/** Path of the Leases of a namespace. */
export const leasesPath = (namespace: string): string =>
  `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;

const pathOf = ({ namespace, name }: LeaseName): string =>
  `${leasesPath(namespace)}/${encodeURIComponent(name)}`;

/** A Lease, or nothing if there is none. @param timeout in milliseconds @throws as `Kube.request` */
export async function readLease(
  kube: Kube,
  name: LeaseName,
  timeout: number,
  signal: AbortSignal,
): Promise<Lease | undefined> {
  try {
    return (await kube.request({ path: pathOf(name), timeout }, signal)) as Lease;
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

/**
 * Writes a Lease in the state that was read, and in no other; without such a state, makes it where there is none. What
 * others wrote beside our fields stays.
 *
 * A Lease may be made with PUT, so that a Role can name it for "create" too, and one that is there is never updated
 * without a version.
 * @see https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/coordination/lease/strategy.go
 * @param timeout in milliseconds
 * @returns the Lease as it is then; nothing where somebody else was quicker
 * @throws as `Kube.request`
 */
export async function writeLease(
  kube: Kube,
  name: LeaseName,
  before: Lease | undefined,
  spec: LeaseSpec,
  timeout: number,
  signal: AbortSignal,
): Promise<Lease | undefined> {
  const body = {
    ...before,
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { ...before?.metadata, ...name },
    spec: { ...(before?.spec as object | undefined), ...spec },
  };
  try {
    return (await kube.request({ method: 'PUT', path: pathOf(name), body, timeout }, signal)) as Lease;
  } catch (error) {
    if (!(error instanceof ApiStatusError)) throw error;
    // Changed, deleted, or made by somebody else since.
    const raced = error.code === 409 || (before === undefined ? error.code === 422 : error.code === 404);
    if (raced) return undefined;
    throw error;
  }
}
