/** Which namespaces a command searches by default, and what it reports about the others. */
import type { Configuration } from '../app/configuration.ts';
import { backendsElsewhere, mayListAll } from '../app/elsewhere.ts';
import type { Input } from '../app/pipeline.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import type { Problem } from '../model/discovery.ts';
import type { CliContext } from './cli-context.ts';
import type { InputFlags } from './input-flags.ts';

/** The settings for listing backends: all namespaces by default, if the user may list the Services of all. */
export async function widened(
  settings: Configuration,
  kube: KubeClient | undefined,
  signal: AbortSignal,
): Promise<Configuration> {
  if (kube === undefined || settings.given.namespaces !== undefined) return settings;
  return (await mayListAll(kube, signal)) ? { ...settings, namespaces: ['*'] } : settings;
}

/** One problem that counts the likely backends in namespaces that a command does not search, unless a flag chose the namespaces. */
export async function elsewhereOf(
  flags: InputFlags,
  settings: Configuration,
  { kube }: Input,
  cli: CliContext,
): Promise<readonly Problem[]> {
  if (kube === undefined || flags.namespace !== undefined) return [];
  const problem = await backendsElsewhere(settings, kube, cli.signal);
  return problem === undefined ? [] : [{ ...problem, fix: 'use -A to see them' }];
}
