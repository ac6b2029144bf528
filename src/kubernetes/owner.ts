import type { OwnerReference } from '../model/published.ts';
import type { KubeClient } from './connection.ts';
import { isDenied, isStatus } from './status.ts';

/** The Deployment that this process runs in, or the reason why there is none. */
export type Owner = { readonly owner: OwnerReference } | { readonly none: string };

interface Owned {
  readonly metadata?: {
    readonly uid?: string;
    readonly ownerReferences?: readonly (Partial<OwnerReference> & { readonly controller?: boolean })[];
  };
}

/** The controller of an object, if it has this kind. */
function controllerOf(object: Owned, kind: string): OwnerReference | undefined {
  const found = object.metadata?.ownerReferences?.find(({ controller }) => controller === true);
  const { apiVersion, name, uid } = found ?? {};
  if (found?.kind !== kind || apiVersion !== 'apps/v1' || name === undefined || uid === undefined)
    return undefined;
  return { apiVersion, kind, name, uid };
}

/**
 * Finds the Deployment that this process runs in (Pod, ReplicaSet, Deployment), as an owner reference with which the garbage
 * collector deletes an object together with the Deployment. Requires `get` on pods and replicasets.apps.
 *
 * The reference does not set `blockOwnerDeletion`: with the admission plugin OwnerReferencesPermissionEnforcement, as on OpenShift,
 * that would require `update` on deployments/finalizers. The plugin also requires `delete` on an existing object that gets an
 * owner, but not on one that is created with its owner.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
 * @param pod the Pod that this process runs in, if known
 * @param target the namespace of the object; the garbage collector deletes objects whose owner is in another namespace
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
 * @throws as `KubeClient.request` if the server is unreachable or fails
 */
export async function findOwner(
  kube: KubeClient,
  pod: { readonly namespace: string; readonly name: string } | undefined,
  target: string,
  signal: AbortSignal,
): Promise<Owner> {
  if (pod === undefined) return { none: 'this is not a Pod; in one, set POD_NAME and POD_NAMESPACE' };
  const { namespace, name } = pod;
  if (namespace !== target)
    return {
      none: `the Pod is in namespace ${namespace} and the ConfigMap in ${target}, and an owner must be in the same one`,
    };
  const get = async (path: string, what: string, resource: string): Promise<Owned | { none: string }> => {
    try {
      return (await kube.request({ path }, signal)) as Owned;
    } catch (error) {
      if (isDenied(error))
        return {
          none: `reading ${what} in namespace ${namespace} was denied; grant "get" on ${resource} there with a Role`,
        };
      if (isStatus(error, 404)) return { none: `there is no ${what} in namespace ${namespace}` };
      throw error;
    }
  };
  const own = await get(
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`,
    `Pod ${name}`,
    'pods',
  );
  if ('none' in own) return own;
  const replicaSet = controllerOf(own, 'ReplicaSet');
  if (replicaSet === undefined)
    return { none: `Pod ${name} is not one of a Deployment: no ReplicaSet controls it` };
  const set = await get(
    `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/replicasets/${encodeURIComponent(replicaSet.name)}`,
    `ReplicaSet ${replicaSet.name}`,
    'replicasets.apps',
  );
  if ('none' in set) return set;
  if (set.metadata?.uid !== replicaSet.uid)
    return { none: `ReplicaSet ${replicaSet.name} is another one than that of Pod ${name}` };
  const owner = controllerOf(set, 'Deployment');
  return owner === undefined
    ? { none: `ReplicaSet ${replicaSet.name} is not one of a Deployment` }
    : { owner };
}
