import type { Input } from '../app/pipeline.ts';
import { namespaceNames, namespacesWithService } from '../kubernetes/lookups.ts';
import { didYouMean, nearest } from '../model/nearest.ts';

/** Most names in a message. */
const MOST = 12;

/** Which of some namespaces are not there, a line each; none where that cannot be known. */
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

/** Why there is no such Service, and which one a person may have meant. */
export async function missingService(
  namespace: string,
  name: string,
  there: readonly string[],
  input: Input,
  signal: AbortSignal,
): Promise<string> {
  const what = `there is no Service ${namespace}/${name} in ${input.where}`;
  const meant = nearest(name, there);
  if (meant !== undefined) return `${what}; did you mean ${namespace}/${meant}?`;
  const elsewhere = input.kube === undefined ? [] : await namespacesWithService(input.kube, name, signal);
  if (elsewhere.length > 0)
    return `${what}; there is ${elsewhere
      .slice(0, MOST)
      .map((each) => `${each}/${name}`)
      .join(', ')}`;
  if (there.length > 0)
    return `${what}; the namespace has ${there.slice(0, MOST).join(', ')}${there.length > MOST ? ', \u2026' : ''}`;
  const [missing] = await missingNamespaces([namespace], input, signal);
  return missing ?? `${what}; the namespace ${namespace} has none`;
}
