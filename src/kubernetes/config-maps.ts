import type { Kube } from './connection.ts';
import { isStatus } from './status.ts';

/** What is read of a `v1.ConfigMap`. */
export interface ConfigMap {
  readonly metadata?: {
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly resourceVersion?: string;
    readonly uid?: string;
    readonly managedFields?: readonly {
      readonly manager?: string;
      /** Which fields are the manager's, as keys of a tree: `f:metadata`, `k:{"uid":"…"}`. */
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
  readonly immutable?: boolean;
}

/** Path of the ConfigMaps of a namespace. */
export const configMapsPath = (namespace: string): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`;

const pathOf = (namespace: string, name: string): string =>
  `${configMapsPath(namespace)}/${encodeURIComponent(name)}`;

/** A ConfigMap, or nothing if it does not exist. @throws as `Kube.request` */
export async function readConfigMap(
  kube: Kube,
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
 * Server-side apply: makes the fields of `object` the manager's and as given, creates the ConfigMap if there is none,
 * and leaves all fields of others alone. With `resourceVersion` and `uid` in its metadata it is done on that
 * state only; without the uid one that was deleted is made anew, whatever the version.
 * @param force take over fields that another manager has with another value, in place of failing with 409
 * @returns the ConfigMap as it is then
 * @throws as `Kube.request`; 409 where it was changed in between, or another manager has a field and `force` is false
 */
export async function applyConfigMap(
  kube: Kube,
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
      // JSON is YAML, and this is the content type that every server with server-side apply takes.
      contentType: 'application/apply-patch+yaml',
      body: object,
    },
    signal,
  )) as ConfigMap;
}

/**
 * Takes a field manager's fields from it; they stay, and are nobody's. Others can then apply them without a conflict.
 * @throws as `Kube.request`; 409 where it was changed in between
 */
export async function releaseFields(
  kube: Kube,
  { metadata: { namespace, name } }: Named,
  live: ConfigMap,
  manager: string,
  signal: AbortSignal,
): Promise<ConfigMap> {
  const index = live.metadata?.managedFields?.findIndex((entry) => entry.manager === manager) ?? -1;
  if (index < 0) return live;
  const path = `/metadata/managedFields/${index}`;
  return (await kube.request(
    {
      method: 'PATCH',
      path: pathOf(namespace, name),
      contentType: 'application/json-patch+json',
      // A `test` that fails would be 422, as an invalid object is; a state that is not this one is 409.
      body: [
        { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata?.resourceVersion },
        { op: 'remove', path },
      ],
    },
    signal,
  )) as ConfigMap;
}

/**
 * Writes one key of the data of one state of a ConfigMap, and nothing else of it.
 * @param resourceVersion the state
 * @throws as `Kube.request`; 409 where it was changed in between
 */
export async function writeKey(
  kube: Kube,
  { metadata: { namespace, name } }: Named,
  change: {
    readonly key: string;
    readonly text: string;
    readonly resourceVersion: string | undefined;
    readonly fieldManager: string;
  },
  signal: AbortSignal,
): Promise<ConfigMap> {
  const { key, text, resourceVersion, fieldManager } = change;
  return (await kube.request(
    {
      method: 'PATCH',
      path: `${pathOf(namespace, name)}?${new URLSearchParams({ fieldManager })}`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { resourceVersion }, data: { [key]: text } },
    },
    signal,
  )) as ConfigMap;
}

/** Takes annotations away, whoever they belong to. @throws as `Kube.request` */
export async function removeAnnotations(
  kube: Kube,
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
