/** Which namespaces a command searches by default, and what it reports about the others. */
import type { Configuration } from '../app/configuration.ts';
import { type Input, openInput, rulesOf } from '../app/pipeline.ts';
import { detect } from '../detection/detect.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import { countOf } from '../model/count-of.ts';
import type { Problem } from '../model/discovery.ts';
import { displayNamespace } from '../model/key.ts';
import { readOnce } from '../sources/source.ts';
import type { CliContext } from './cli-context.ts';
import { type InputFlags, inputOf } from './input-flags.ts';

/** Maximum namespaces to name in one line. */
const MAX_NAMED = 5;

/** Whether the user may list the Services of all namespaces. Any other failure is left to the command itself. */
async function mayListAll(kube: KubeClient, signal: AbortSignal): Promise<boolean> {
  try {
    await kube.request({ path: '/api/v1/services?limit=1' }, signal);
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/** The settings for listing backends: all namespaces by default, if the user may list the Services of all. */
export async function widened(
  settings: Configuration,
  kube: KubeClient | undefined,
  signal: AbortSignal,
): Promise<Configuration> {
  if (kube === undefined || settings.given.namespaces !== undefined) return settings;
  return (await mayListAll(kube, signal)) ? { ...settings, namespaces: ['*'] } : settings;
}

/**
 * One problem that counts the likely backends in namespaces that a command does not search, which are not probed. Empty if a
 * flag chose the namespaces, if there are no such backends, or if the user may not list them.
 */
export async function backendsElsewhere(
  flags: InputFlags,
  settings: Configuration,
  { kube, namespaces }: Input,
  cli: CliContext,
): Promise<readonly Problem[]> {
  if (kube === undefined || flags.namespace !== undefined || namespaces.includes('*')) return [];
  if (!(await mayListAll(kube, cli.signal))) return [];
  const all = await openInput(inputOf(flags, cli), { ...settings, namespaces: ['*'] }, false, kube);
  const { services } = await readOnce(all.source, cli.signal);
  const { clusterDomain, allowedHosts, allowExternalNames, maxNamespaceServices } = settings;
  const { candidates } = detect(
    services.filter(({ namespace }) => !namespaces.includes(namespace)),
    rulesOf(settings).rules,
    { clusterDomain, allowedHosts, allowExternalNames, maxNamespaceServices },
  );
  const found = candidates.filter(({ certainty }) => certainty !== 'hint');
  const names = [...new Set(found.map(({ service }) => displayNamespace(service)))].sort();
  if (names.length === 0) return [];
  const more = names.length > MAX_NAMED ? `, and ${names.length - MAX_NAMED} more` : '';
  return [
    {
      where: 'other namespaces',
      what: `not searched, with ${countOf(found.length, 'likely backend')}: ${names.slice(0, MAX_NAMED).join(', ')}${more}`,
      fix: 'use -A to see them',
    },
  ];
}
