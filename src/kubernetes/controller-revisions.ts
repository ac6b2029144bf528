import type { KubeClient } from './connection.ts';
import { type KubeObject, listPages } from './list.ts';

/** The fields of an `apps/v1.ControllerRevision` that are used. Its `data` is immutable. */
export interface ControllerRevision {
  readonly apiVersion: 'apps/v1';
  readonly kind: 'ControllerRevision';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly revision: number;
  readonly data: Readonly<Record<string, string>>;
}

const pathOf = (namespace: string): string =>
  `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/controllerrevisions`;

/** Lists the ControllerRevisions of a namespace with these labels. @throws as `listPages` */
export async function listControllerRevisions(
  kube: KubeClient,
  namespace: string,
  labels: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const objects: KubeObject[] = [];
  for await (const page of listPages(kube, { path: pathOf(namespace), labelSelector }, signal))
    objects.push(...page.items);
  return objects;
}

/** @throws as `KubeClient.request`; 409 if the name exists */
export function createControllerRevision(
  kube: KubeClient,
  object: ControllerRevision,
  signal: AbortSignal,
): Promise<unknown> {
  return kube.request({ method: 'POST', path: pathOf(object.metadata.namespace), body: object }, signal);
}

/**
 * Changes the number and annotations of a ControllerRevision.
 * @param annotations `null` removes an annotation
 * @throws as `KubeClient.request`
 */
export function renumberControllerRevision(
  kube: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  revision: number,
  annotations: Readonly<Record<string, string | null>>,
  signal: AbortSignal,
): Promise<unknown> {
  return kube.request(
    {
      method: 'PATCH',
      path: `${pathOf(namespace)}/${encodeURIComponent(name)}`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations }, revision },
    },
    signal,
  );
}

/** Changes annotations of a ControllerRevision, and not its number. @throws as `KubeClient.request` */
export async function annotateControllerRevision(
  kube: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  annotations: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  await kube.request(
    {
      method: 'PATCH',
      path: `${pathOf(namespace)}/${encodeURIComponent(name)}`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations } },
    },
    signal,
  );
}

/** @throws as `KubeClient.request`; 404 if it does not exist */
export async function deleteControllerRevision(
  kube: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<void> {
  await kube.request({ method: 'DELETE', path: `${pathOf(namespace)}/${encodeURIComponent(name)}` }, signal);
}
