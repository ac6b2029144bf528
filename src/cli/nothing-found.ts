import type { Configuration } from '../app/configuration.ts';
import type { Input } from '../app/pipeline.ts';
import { countOf } from '../model/count-of.ts';
import type { Service } from '../model/service.ts';
import type { CliContext } from './cli-context.ts';
import type { InputFlags } from './input-flags.ts';

/** Warns of namespaces that were named with `-n` and do not exist. @returns whether there is one */
async function warnOfMissingNamespaces(
  flags: InputFlags,
  { namespaces }: Configuration,
  input: Input,
  services: readonly Service[],
  { output, signal }: CliContext,
): Promise<boolean> {
  if (input.kube === undefined || flags.namespace === undefined) return false;
  const empty = namespaces.filter((name) => !services.some(({ namespace }) => namespace === name));
  if (empty.length === 0) return false;
  const { missingNamespaces } = await import('./not-found.ts');
  const missing = await missingNamespaces(empty, input, signal);
  for (const line of missing)
    output.messages.write(`warning: ${line}${line.endsWith('?') ? '' : '; name another with -n'}\n`);
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
  { services, backends }: { readonly services: readonly Service[]; readonly backends: number },
  cli: CliContext,
): Promise<void> {
  const isMissing = await warnOfMissingNamespaces(flags, settings, input, services, cli);
  if (backends > 0) return;
  const { messages } = cli.output;
  messages.write(`No backends found among ${countOf(services.length, 'Service')} in ${input.where}.\n`);
  const name = cli.name ?? 'dynamic-toolset';
  if (!isMissing) messages.write(`${adviceFor(settings, input, services.length, name)}\n`);
}
