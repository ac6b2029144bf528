import type { KubeClient } from './connection.ts';
import { ApiStatusError, isStatus } from './status.ts';

/** Namespace and name of a Lease. */
export interface LeaseName {
  readonly namespace: string;
  readonly name: string;
}

/** The fields of a Lease's `spec` that we write. Times are RFC 3339 with microseconds, and only informational. */
export interface LeaseSpec {
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly leaseTransitions: number;
}

/** A `coordination.k8s.io/v1` Lease from the API server. Callers must validate its `spec`. */
export interface Lease {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly spec?: unknown;
}

/** Path of the Leases of a namespace. */
export const leasesPath = (namespace: string): string =>
  `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;

const pathOf = ({ namespace, name }: LeaseName): string =>
  `${leasesPath(namespace)}/${encodeURIComponent(name)}`;

/** Reads a Lease; undefined if it does not exist. @param timeout in milliseconds @throws as `KubeClient.request` */
export async function readLease(
  kube: KubeClient,
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
 * Updates a Lease in the state that was read, or creates it if `before` is undefined. Fields of others stay.
 *
 * PUT can create a Lease, so that a Role can restrict `create` by name too. An existing Lease cannot be updated without a
 * resourceVersion.
 * @see https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/coordination/lease/strategy.go
 * @param timeout in milliseconds
 * @returns the resulting Lease; undefined if somebody else changed it first
 * @throws as `KubeClient.request`
 */
export async function writeLease(
  kube: KubeClient,
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
    // Somebody else changed, deleted or created it.
    const raced = error.code === 409 || (before === undefined ? error.code === 422 : error.code === 404);
    if (raced) return undefined;
    throw error;
  }
}
