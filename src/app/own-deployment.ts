import type { KubeClient } from '../kubernetes/connection.ts';
import { findOwner } from '../kubernetes/owner.ts';
import type { OwnerReference } from '../model/published.ts';
import type { Env } from './host.ts';

/** The Pod of this process, according to the environment. */
function podOf(
  kube: KubeClient,
  env: Env,
): { readonly namespace: string; readonly name: string } | undefined {
  const name = env.POD_NAME ?? (kube.inCluster ? env.HOSTNAME : undefined);
  const namespace = env.POD_NAMESPACE ?? (kube.inCluster ? kube.namespace : undefined);
  return name === undefined || namespace === undefined ? undefined : { namespace, name };
}

/**
 * Finds the Deployment of this process, which owns the published objects. The result is cached.
 * @param namespace the namespace of the published objects
 * @param onMissing called once with the reason if this is a Pod without such a Deployment
 */
export function ownDeployment(
  kube: KubeClient,
  env: Env,
  namespace: string,
  onMissing: (why: string) => void,
): (signal: AbortSignal) => Promise<OwnerReference | undefined> {
  const pod = podOf(kube, env);
  let found: { readonly owner: OwnerReference | undefined } | undefined;
  return async (signal) => {
    if (found === undefined) {
      const result = await findOwner(kube, pod, namespace, signal);
      found = { owner: 'owner' in result ? result.owner : undefined };
      if ('none' in result && pod !== undefined) onMissing(result.none);
    }
    return found.owner;
  };
}
