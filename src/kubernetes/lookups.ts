import type { KubeClient } from './connection.ts';
import { listPages } from './list.ts';
import { ApiStatusError } from './status.ts';

interface Named {
  readonly metadata?: { readonly name?: unknown; readonly namespace?: unknown };
}

/** Lists objects; undefined if the server denies it, because lookups only improve messages. */
async function lookUp(
  kube: KubeClient,
  path: string,
  fieldSelector: string | undefined,
  signal: AbortSignal,
): Promise<Named[] | undefined> {
  const found: Named[] = [];
  try {
    const selection = { path, ...(fieldSelector === undefined ? {} : { fieldSelector }) };
    for await (const { items } of listPages(kube, selection, signal))
      found.push(...(items as readonly Named[]));
    return found;
  } catch (error) {
    if (error instanceof ApiStatusError) return undefined;
    throw error;
  }
}

const texts = (values: readonly unknown[]): string[] =>
  values.filter((value) => typeof value === 'string').sort();

/** The names of all namespaces; undefined without the permission to list them. */
export async function namespaceNames(kube: KubeClient, signal: AbortSignal): Promise<string[] | undefined> {
  const found = await lookUp(kube, '/api/v1/namespaces', undefined, signal);
  return found === undefined ? undefined : texts(found.map(({ metadata }) => metadata?.name));
}

/** The namespaces that have a Service with this name; empty without the permission to list Services. */
export async function namespacesWithService(
  kube: KubeClient,
  service: string,
  signal: AbortSignal,
): Promise<string[]> {
  const found = await lookUp(kube, '/api/v1/services', `metadata.name=${service}`, signal);
  return texts((found ?? []).map(({ metadata }) => metadata?.namespace));
}
