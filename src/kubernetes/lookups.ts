import type { Kube } from './connection.ts';
import { listPages } from './list.ts';
import { ApiStatusError } from './status.ts';

interface Named {
  readonly metadata?: { readonly name?: unknown; readonly namespace?: unknown };
}

/** What a lookup finds, or nothing where the server refuses to tell: it is for better messages only. */
async function lookUp(
  kube: Kube,
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

/** The names of all namespaces, or nothing where they may not be listed. */
export async function namespaceNames(kube: Kube, signal: AbortSignal): Promise<string[] | undefined> {
  const found = await lookUp(kube, '/api/v1/namespaces', undefined, signal);
  return found === undefined ? undefined : texts(found.map(({ metadata }) => metadata?.name));
}

/** The namespaces that have a Service of a name; none where they may not be listed. */
export async function namespacesWith(kube: Kube, service: string, signal: AbortSignal): Promise<string[]> {
  const found = await lookUp(kube, '/api/v1/services', `metadata.name=${service}`, signal);
  return texts((found ?? []).map(({ metadata }) => metadata?.namespace));
}
