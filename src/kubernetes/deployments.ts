import type { PodFiles } from '../model/pod-files.ts';
import type { Kube } from './connection.ts';
import { isStatus } from './status.ts';

/** What is read of an `apps/v1.Deployment`. */
export interface Deployment {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly spec?: {
    readonly paused?: boolean;
    readonly template?: {
      readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
      readonly spec?: PodFiles;
    };
  };
}

const pathOf = (namespace: string, name: string): string =>
  `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/deployments/${encodeURIComponent(name)}`;

/** A Deployment, or nothing if it does not exist. @throws as `Kube.request` */
export async function readDeployment(
  kube: Kube,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<Deployment | undefined> {
  try {
    return (await kube.request({ path: pathOf(namespace, name) }, signal)) as Deployment;
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

/**
 * Sets annotations of a Deployment's Pod template, and nothing else; its Pods are replaced then, as by
 * `kubectl rollout restart`, which does the same.
 * @param resourceVersion the state on which it is done
 * @throws as `Kube.request`; 409 where the Deployment was changed in between
 */
export async function annotatePodTemplate(
  kube: Kube,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  annotations: Readonly<Record<string, string>>,
  resourceVersion: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const query = new URLSearchParams({ fieldManager: 'dynamic-toolset' });
  await kube.request(
    {
      method: 'PATCH',
      path: `${pathOf(namespace, name)}?${query}`,
      contentType: 'application/merge-patch+json',
      body: {
        ...(resourceVersion === undefined ? {} : { metadata: { resourceVersion } }),
        spec: { template: { metadata: { annotations } } },
      },
    },
    signal,
  );
}
