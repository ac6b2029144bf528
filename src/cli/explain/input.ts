import type { Configuration } from '../../app/configuration.ts';
import { readCurrentState, withCurrentState } from '../../app/current-state.ts';
import { openInput, stagesOf } from '../../app/pipeline.ts';
import type { KubeClient } from '../../kubernetes/connection.ts';
import { UserError } from '../../model/errors.ts';
import type { Service } from '../../model/service.ts';
import { readOnce } from '../../sources/source.ts';
import type { CliContext } from '../cli-context.ts';
import { type InputFlags, inputOf } from '../input-flags.ts';
import { parseKey } from '../parse-key.ts';
import { storedSettings } from '../stored-settings.ts';
import { whyApprovalsUnknown } from '../unknown-state.ts';
import { withProgress } from '../with-progress.ts';

export interface ExplainFlags extends InputFlags {
  readonly output: 'text' | 'json';
}

/**
 * The Services of all other configured namespaces, which share the limits. Empty if they cannot be read, or if the input
 * is standard input, which cannot be read twice.
 */
export async function otherServices(
  namespace: string,
  flags: ExplainFlags,
  configured: Configuration,
  kube: KubeClient | undefined,
  cli: CliContext,
): Promise<readonly Service[]> {
  const { namespace: _, ...everywhere } = flags;
  const options = inputOf(everywhere, cli);
  if (options.source?.readsStdin === true) return [];
  try {
    const input = await openInput(options, configured, false, kube);
    const { services } = await readOnce(input.source, cli.signal);
    return services.filter((service) => service.namespace !== namespace);
  } catch (error) {
    cli.signal.throwIfAborted();
    if (error instanceof UserError) return [];
    throw error;
  }
}

/** Reads what `explain` needs before it probes: the Services of one namespace, the overrides and the published tools. */
export async function readInput(text: string, flags: ExplainFlags, cli: CliContext) {
  const { namespace, name } = parseKey(text);
  const scoped = { ...flags, namespace, allNamespaces: false };
  const stored = await storedSettings(flags, cli);
  const { kube, settingsFor, policy: configured, areSettingsUnknown } = stored;
  const settings = await settingsFor(scoped);
  const options = inputOf(scoped, cli);
  const input = await openInput(options, settings, false, kube);
  const { sync, state } = await withProgress(cli.output, cli.env, async (progress) => {
    progress?.show(`listing Services in ${input.where}`);
    const read = await readOnce(input.source, cli.signal);
    return { sync: read, state: await readCurrentState(settings, input, stored, cli.signal) };
  });
  const stages = withCurrentState(await stagesOf(settings, input, { keepsTexts: true }), state);
  // Trust and shared limits depend on the configured namespaces, not on the explained one.
  const policy = {
    ...settings,
    namespaces: configured.namespaces,
    approvalsUnknown: whyApprovalsUnknown(state),
    ...(kube === undefined ? { approvalPlace: { place: 'overrides.yaml' } } : {}),
  };
  const { services, elsewhere } = sync;
  return {
    namespace,
    name,
    configured,
    policy,
    source: options.source?.words,
    input,
    services,
    elsewhere,
    state,
    stages,
    areSettingsUnknown,
  };
}

export type ExplainInput = Awaited<ReturnType<typeof readInput>>;
