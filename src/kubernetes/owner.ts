import type { OwnerReference } from '../model/published.ts';
import type { Kube } from './connection.ts';
import { isDenied, isStatus } from './status.ts';

/** The Deployment that we run in, or why there is none, for a person. */
export type Owner = { readonly owner: OwnerReference } | { readonly none: string };

interface Owned {
  readonly metadata?: {
    readonly uid?: string;
    readonly ownerReferences?: readonly (Partial<OwnerReference> & { readonly controller?: boolean })[];
  };
}

/** The controller of an object, if it is of that kind. */
function controllerOf(object: Owned, kind: string): OwnerReference | undefined {
  const found = object.metadata?.ownerReferences?.find(({ controller }) => controller === true);
  const { apiVersion, name, uid } = found ?? {};
  if (found?.kind !== kind || apiVersion !== 'apps/v1' || name === undefined || uid === undefined)
    return undefined;
  return { apiVersion, kind, name, uid };
}

/**
 * The owner reference that makes the garbage collector delete an object of ours together with the Deployment that this
 * process runs in: Pod, its ReplicaSet, and that one's Deployment. Needs "get" on pods and replicasets.apps.
 *
 * It does not say `blockOwnerDeletion`: where OwnerReferencesPermissionEnforcement is on, as on OpenShift, that would
 * want "update" on deployments/finalizers. That plug-in also wants "delete" on an object that is there already before
 * it gets an owner; on one that is created with its owner it does not.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
 * @param pod the Pod that this process runs in, as far as it is known
 * @param target the namespace of the object; an owner in another one would make the garbage collector delete it
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
 * @throws as `Kube.request`, when the server is not reachable or fails: then nothing is known
 */
export async function findOwner(
  kube: Kube,
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
