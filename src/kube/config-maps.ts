import type { Kube } from './connection.ts';
import { ApiStatusError } from './status.ts';

/** What is read of a `v1.ConfigMap`. */
export interface ConfigMap {
  readonly metadata?: {
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly resourceVersion?: string;
  };
  readonly data?: Record<string, string>;
}

const pathOf = (namespace: string, name: string): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${encodeURIComponent(name)}`;

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
    if (error instanceof ApiStatusError && error.code === 404) return undefined;
    throw error;
  }
}

/**
 * Server-side apply: makes the fields of `object` ours and as given, creates the ConfigMap if there is none, and
 * leaves all fields of others alone. Takes over fields that another manager changed.
 */
export async function applyConfigMap(
  kube: Kube,
  object: { readonly metadata: { readonly namespace: string; readonly name: string } },
  fieldManager: string,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = object.metadata;
  const query = new URLSearchParams({ fieldManager, force: 'true' });
  await kube.request(
    {
      method: 'PATCH',
      path: `${pathOf(namespace, name)}?${query}`,
      // JSON is YAML, and this is the content type that every server with server-side apply takes.
      contentType: 'application/apply-patch+yaml',
      body: object,
    },
    signal,
  );
}
