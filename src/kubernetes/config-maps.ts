import type { KubeClient } from './connection.ts';
import { ApiStatusError, isStatus } from './status.ts';

/** The fields of a `v1.ConfigMap` that are used. */
export interface ConfigMap {
  readonly metadata?: {
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly resourceVersion?: string;
    readonly uid?: string;
    readonly managedFields?: readonly {
      readonly manager?: string;
      /** The fields that the manager owns, as keys of a tree: `f:metadata`, `k:{"uid":"…"}`. */
      readonly fieldsV1?: Readonly<Record<string, unknown>>;
    }[];
    readonly ownerReferences?: readonly {
      readonly apiVersion: string;
      readonly kind: string;
      readonly name: string;
      readonly uid: string;
    }[];
  };
  readonly data?: Record<string, string>;
  readonly binaryData?: Record<string, string>;
  readonly immutable?: boolean;
}

/** Path of the ConfigMaps of a namespace. */
export const configMapsPath = (namespace: string): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`;

const pathOf = (namespace: string, name: string): string =>
  `${configMapsPath(namespace)}/${encodeURIComponent(name)}`;

/** Reads a ConfigMap; undefined if it does not exist. @throws as `KubeClient.request` */
export async function readConfigMap(
  kube: KubeClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<ConfigMap | undefined> {
  try {
    return (await kube.request({ path: pathOf(namespace, name) }, signal)) as ConfigMap;
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

interface Named {
  readonly metadata: { readonly namespace: string; readonly name: string };
}

/**
 * Server-side apply. Creates the ConfigMap if it does not exist. With `resourceVersion` and `uid` in its metadata, only that state
 * is changed; without the uid, a deleted ConfigMap is recreated whatever the resourceVersion.
 * @param force take over fields that another manager owns with another value, instead of failing with 409
 * @returns the resulting ConfigMap
 * @throws as `KubeClient.request`; 409 if the ConfigMap was changed, or another manager owns a field and `force` is false
 */
export async function applyConfigMap(
  kube: KubeClient,
  object: Named,
  { fieldManager, force }: { readonly fieldManager: string; readonly force: boolean },
  signal: AbortSignal,
): Promise<ConfigMap> {
  const { namespace, name } = object.metadata;
  const query = new URLSearchParams({ fieldManager, force: String(force) });
  return (await kube.request(
    {
      method: 'PATCH',
      path: `${pathOf(namespace, name)}?${query}`,
      // JSON is valid YAML, and every server with server-side apply supports this content type.
      contentType: 'application/apply-patch+yaml',
      body: object,
    },
    signal,
  )) as ConfigMap;
}

/**
 * Releases all fields of a field manager without changing them. Others can then apply them without a conflict.
 * @throws as `KubeClient.request`; 409 if the ConfigMap was changed
 */
export async function releaseFields(
  kube: KubeClient,
  { metadata: { namespace, name } }: Named,
  live: ConfigMap,
  manager: string,
  signal: AbortSignal,
): Promise<ConfigMap> {
  const index = live.metadata?.managedFields?.findIndex((entry) => entry.manager === manager) ?? -1;
  if (index < 0) return live;
  const path = `/metadata/managedFields/${index}`;
  try {
    return (await kube.request(
      {
        method: 'PATCH',
        path: pathOf(namespace, name),
        contentType: 'application/json-patch+json',
        // A failed `test` operation would be 422, like an invalid object. A wrong resourceVersion is 409.
        body: [
          { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata?.resourceVersion },
          { op: 'remove', path },
        ],
      },
      signal,
    )) as ConfigMap;
  } catch (error) {
    // The API server applies the operations before it compares the version, and there may be fewer managers meanwhile.
    if (isStatus(error, 422)) throw new ApiStatusError(409, error.message);
    throw error;
  }
}

/**
 * Writes keys of `data`, and removes them from `binaryData` in the same request: the API server rejects a key that is in both.
 * @param object the new data, and the state of the ConfigMap to change
 * @throws as `KubeClient.request`; 409 if the ConfigMap is in another state
 */
export function writeKeys(
  kube: KubeClient,
  {
    metadata: { namespace, name, resourceVersion, uid },
    data,
  }: {
    readonly metadata: Named['metadata'] & {
      readonly resourceVersion?: string | undefined;
      readonly uid?: string | undefined;
    };
    readonly data: Readonly<Record<string, string>>;
  },
  keys: readonly string[],
  fieldManager: string,
  signal: AbortSignal,
): Promise<ConfigMap> {
  const patch = {
    metadata: { resourceVersion, uid },
    data: Object.fromEntries(keys.map((key) => [key, data[key]])),
    binaryData: Object.fromEntries(keys.map((key) => [key, null])),
  };
  return mergeConfigMap(kube, { namespace, name }, patch, fieldManager, signal);
}

/**
 * Changes fields of a ConfigMap, whoever owns them: a JSON merge patch.
 * @param patch `null` removes a field
 * @throws as `KubeClient.request`; 409 if the patch has a resourceVersion or a uid, and the ConfigMap another one
 */
export async function mergeConfigMap(
  kube: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  patch: object,
  fieldManager: string,
  signal: AbortSignal,
): Promise<ConfigMap> {
  return (await kube.request(
    {
      method: 'PATCH',
      path: `${pathOf(namespace, name)}?${new URLSearchParams({ fieldManager })}`,
      contentType: 'application/merge-patch+json',
      body: patch,
    },
    signal,
  )) as ConfigMap;
}

/** Removes annotations, whoever owns them. @throws as `KubeClient.request` */
export async function removeAnnotations(
  kube: KubeClient,
  { metadata: { namespace, name } }: Named,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<ConfigMap> {
  return (await kube.request(
    {
      method: 'PATCH',
      path: pathOf(namespace, name),
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: Object.fromEntries(keys.map((key) => [key, null])) } },
    },
    signal,
  )) as ConfigMap;
}

/**
 * Deletes one state of a ConfigMap. One that does not exist is no failure.
 * @throws as `KubeClient.request`; 409 if it was changed
 */
export async function deleteConfigMap(
  kube: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  preconditions: { readonly resourceVersion: string; readonly uid: string } | undefined,
  signal: AbortSignal,
): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', ...(preconditions && { preconditions }) };
  try {
    await kube.request({ method: 'DELETE', path: pathOf(namespace, name), body }, signal);
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
  }
}
