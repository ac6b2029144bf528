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

/**
 * Requests only the metadata, because `data` is large. A server that does not support this returns whole objects.
 * @see https://pkg.go.dev/k8s.io/client-go/metadata
 */
const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

/** Which ControllerRevisions to list. */
export interface RevisionSelection {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Only the one with this name. */
  readonly name?: string;
  /** Whether to read no more than the metadata. */
  readonly metadataOnly?: boolean;
}

/** Lists ControllerRevisions. @throws as `listPages` */
export async function listControllerRevisions(
  kube: KubeClient,
  { namespace, labels, name, metadataOnly = false }: RevisionSelection,
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const selection = {
    path: pathOf(namespace),
    labelSelector: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
    ...(metadataOnly ? { accept: METADATA_LIST } : {}),
  };
  const objects: KubeObject[] = [];
  for await (const page of listPages(kube, selection, signal)) objects.push(...page.items);
  return objects;
}

/** @returns the metadata, perhaps with the rest. @throws as `KubeClient.request`; 409 if the name exists */
export function createControllerRevision(
  kube: KubeClient,
  object: ControllerRevision,
  signal: AbortSignal,
): Promise<unknown> {
  const path = pathOf(object.metadata.namespace);
  return kube.request({ method: 'POST', path, accept: METADATA, body: object }, signal);
}

/**
 * Changes the number and annotations of a ControllerRevision.
 * @param annotations `null` removes an annotation
 * @returns the object, perhaps without its number and its data
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
      accept: METADATA,
      body: { metadata: { annotations }, revision },
    },
    signal,
  );
}

/**
 * Changes annotations of a ControllerRevision, and not its number.
 * @returns the object, perhaps without its number and its data
 * @throws as `KubeClient.request`
 */
export function annotateControllerRevision(
  kube: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  annotations: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<unknown> {
  return kube.request(
    {
      method: 'PATCH',
      path: `${pathOf(namespace)}/${encodeURIComponent(name)}`,
      contentType: 'application/merge-patch+json',
      accept: METADATA,
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
