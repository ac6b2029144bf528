import type { PodFiles } from '../model/pod-files.ts';
import type { KubeClient } from './connection.ts';
import { isStatus } from './status.ts';

/** The fields of an `apps/v1.Deployment` that are used. */
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

/** Reads a Deployment; undefined if it does not exist. @throws as `KubeClient.request` */
export async function readDeployment(
  kube: KubeClient,
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
 * Sets annotations of a Deployment's Pod template, which replaces its Pods. `kubectl rollout restart` does the same.
 * @throws as `KubeClient.request`; 409 if the Deployment does not have the given resourceVersion
 */
export async function annotatePodTemplate(
  kube: KubeClient,
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
