import type { Input } from '../app/pipeline.ts';
import { namespaceNames, namespacesWithService } from '../kubernetes/lookups.ts';
import { didYouMean, nearest } from '../model/nearest.ts';
import { objectName } from '../model/part.ts';

/** Maximum names in a message. */
const MAX_NAMES = 12;

/** Lists names, but not very many. */
const listOf = (names: readonly string[]): string =>
  `${names.slice(0, MAX_NAMES).join(', ')}${names.length > MAX_NAMES ? ', …' : ''}`;

/**
 * One line for each namespace without Services in manifests that have Services of others.
 * @param known the namespaces of the manifests
 */
export function namespacesNotInManifests(
  names: readonly string[],
  known: readonly string[],
  where: string,
): string[] {
  return names.map(
    (name) =>
      `${where} has no Services in namespace ${name}, only in ${listOf(known)}${didYouMean(name, known)}`,
  );
}

/** One line for each namespace that does not exist. Empty if namespaces cannot be listed. */
export async function missingNamespaces(
  names: readonly string[],
  { kube }: Input,
  signal: AbortSignal,
): Promise<string[]> {
  const known = kube === undefined ? undefined : await namespaceNames(kube, signal);
  if (known === undefined) return [];
  return names
    .filter((name) => name !== '*' && !known.includes(name))
    .map((name) => `there is no namespace ${name}${didYouMean(name, known)}`);
}

/** Explains that a Service has no part with this name. `undefined` for anything else. @param there names of Services and parts */
function missingPart(namespace: string, name: string, there: readonly string[]): string | undefined {
  const whole = objectName({ name });
  if (whole === name || !there.includes(whole)) return undefined;
  const parts = there.filter((each) => each !== whole && objectName({ name: each }) === whole);
  const has = parts.length === 0 ? 'it has none' : `it has ${listOf(parts)}`;
  return `${namespace}/${whole} has no part ${name}: a part is a port with the name and the number of another product than that of the Service; ${has}. For the whole Service, write ${namespace}/${whole}`;
}

/**
 * Explains that a Service does not exist, and suggests the one that was probably meant.
 * @param others other namespaces of the manifests with Services
 */
export async function missingService(
  namespace: string,
  name: string,
  there: readonly string[],
  input: Input,
  signal: AbortSignal,
  others: readonly string[] = [],
): Promise<string> {
  const part = missingPart(namespace, name, there);
  if (part !== undefined) return part;
  const where = input.kube === undefined ? ` in ${input.where}` : '';
  const what = `there is no Service ${namespace}/${name}${where}`;
  const meant = nearest(name, there);
  if (meant !== undefined) return `${what}; did you mean ${namespace}/${meant}?`;
  const elsewhere = input.kube === undefined ? [] : await namespacesWithService(input.kube, name, signal);
  if (elsewhere.length > 0)
    return `${what}; there is ${elsewhere
      .slice(0, MAX_NAMES)
      .map((each) => `${each}/${name}`)
      .join(', ')}`;
  if (there.length > 0) return `${what}; the namespace has ${listOf(there)}`;
  const [missing] = await missingNamespaces([namespace], input, signal);
  const instead = others.length === 0 ? '' : `, but there are Services of ${listOf(others)}`;
  return missing ?? `${what}; the namespace ${namespace} has none${instead}${didYouMean(namespace, others)}`;
}
