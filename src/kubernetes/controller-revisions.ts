import type { Kube } from './connection.ts';
import { type KubeObject, listPages } from './list.ts';

/** What is used of an `apps/v1.ControllerRevision`. Its `data` cannot be changed once it is there. */
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

/** All ControllerRevisions of a namespace with these labels, as they are. @throws as `listPages` */
export async function listControllerRevisions(
  kube: Kube,
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

/** @returns it as it is then. @throws as `Kube.request`; 409 where there is one of that name */
export function createControllerRevision(
  kube: Kube,
  object: ControllerRevision,
  signal: AbortSignal,
): Promise<unknown> {
  return kube.request({ method: 'POST', path: pathOf(object.metadata.namespace), body: object }, signal);
}

/**
 * Gives a ControllerRevision another number; an annotation with `null` goes.
 * @returns it as it is then. @throws as `Kube.request`
 */
export function renumberControllerRevision(
  kube: Kube,
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

/** @throws as `Kube.request`; 404 where it is gone already */
export async function deleteControllerRevision(
  kube: Kube,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<void> {
  await kube.request({ method: 'DELETE', path: `${pathOf(namespace)}/${encodeURIComponent(name)}` }, signal);
}
