import type { Configuration } from '../app/configuration.ts';
import type { Input } from '../app/pipeline.ts';
import { countOf } from '../model/count-of.ts';
import type { Service } from '../model/service.ts';
import type { CliContext } from './cli-context.ts';
import type { InputFlags } from './input-flags.ts';

/** What a command read and found. */
export interface Searched {
  readonly services: readonly Service[];
  /** The namespaces of manifests that have Services and were not searched. */
  readonly elsewhere?: readonly string[] | undefined;
  /** The number of backends. */
  readonly backends: number;
}

/** One line for each of the namespaces that does not exist, or that manifests with Services of others do not have. */
async function missingOnes(
  names: readonly string[],
  input: Input,
  { services, elsewhere = [] }: Searched,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { missingNamespaces, namespacesNotInManifests } = await import('./not-found.ts');
  if (input.kube !== undefined) return missingNamespaces(names, input, signal);
  const known = new Set([...services.map(({ namespace }) => namespace), ...elsewhere]);
  return known.size === 0 ? [] : namespacesNotInManifests(names, [...known].sort(), input.where);
}

/** Warns of namespaces that were named with `-n` and do not exist. @returns whether there is one */
async function warnOfMissingNamespaces(
  flags: InputFlags,
  { namespaces }: Configuration,
  input: Input,
  searched: Searched,
  { output, signal }: CliContext,
): Promise<boolean> {
  if (flags.namespace === undefined) return false;
  const isEmpty = (name: string): boolean =>
    name !== '*' && !searched.services.some(({ namespace }) => namespace === name);
  const empty = namespaces.filter(isEmpty);
  if (empty.length === 0) return false;
  const missing = await missingOnes(empty, input, searched, signal);
  for (const line of missing)
    output.messages.write(`warning: ${line}${line.endsWith('?') ? '' : '; choose another with -n'}\n`);
  return missing.length > 0;
}

/** Advice for the case that no backend was found in namespaces that exist. */
function adviceFor({ namespaces }: Configuration, input: Input, services: number, name: string): string {
  const why = `${name} explain NAMESPACE/SERVICE shows why a Service is not a backend.`;
  if (input.kube === undefined && services === 0)
    return `No object of kind Service was read. Charts are rendered first: helm template my/chart | ${name} discover -f -`;
  if (input.kube === undefined || namespaces.includes('*')) return why;
  return services === 0
    ? 'Try all namespaces with -A, or name others with -n.'
    : `Try -A for all namespaces. ${why}`;
}

/** Says which of the named namespaces do not exist and, if no backend was found, what to do about that. */
export async function reportNothingFound(
  flags: InputFlags,
  settings: Configuration,
  input: Input,
  searched: Searched,
  cli: CliContext,
): Promise<void> {
  const { services, backends } = searched;
  const isMissing = await warnOfMissingNamespaces(flags, settings, input, searched, cli);
  if (backends > 0) return;
  const { messages } = cli.output;
  messages.write(`No backends found among ${countOf(services.length, 'Service')} in ${input.where}.\n`);
  const name = cli.name ?? 'dynamic-toolset';
  if (!isMissing) messages.write(`${adviceFor(settings, input, services.length, name)}\n`);
}
