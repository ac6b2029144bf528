import type { KubeClient } from '../kubernetes/connection.ts';
import { findOwner } from '../kubernetes/owner.ts';
import type { OwnerReference } from '../model/published.ts';
import type { Env } from './host.ts';

/** The Pod that this process runs in, as far as its environment tells. */
function podOf(
  kube: KubeClient,
  env: Env,
): { readonly namespace: string; readonly name: string } | undefined {
  const name = env.POD_NAME ?? (kube.inCluster ? env.HOSTNAME : undefined);
  const namespace = env.POD_NAMESPACE ?? (kube.inCluster ? kube.namespace : undefined);
  return name === undefined || namespace === undefined ? undefined : { namespace, name };
}

/**
 * Finds the Deployment that this process runs in, once: what is published goes with it.
 * @param namespace where is published
 * @param none told once why there is none, where this is a Pod
 */
export function ownDeployment(
  kube: KubeClient,
  env: Env,
  namespace: string,
  none: (why: string) => void,
): (signal: AbortSignal) => Promise<OwnerReference | undefined> {
  const pod = podOf(kube, env);
  let found: { readonly owner: OwnerReference | undefined } | undefined;
  return async (signal) => {
    if (found === undefined) {
      const result = await findOwner(kube, pod, namespace, signal);
      found = { owner: 'owner' in result ? result.owner : undefined };
      if ('none' in result && pod !== undefined) none(result.none);
    }
    return found.owner;
  };
}
