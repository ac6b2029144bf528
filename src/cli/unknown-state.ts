import type { Configuration } from '../app/configuration.ts';
import type { CurrentState } from '../app/current-state.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { whatStays } from '../model/what-stays.ts';
import type { CliContext } from './cli-context.ts';
import { warn } from './output.ts';

/** Why it is unknown what `overrides.yaml` approves; `undefined` if it is known. */
export function whyApprovalsUnknown({ fault, overrideFaults }: CurrentState): string | undefined {
  if (fault !== undefined)
    return 'overrides.yaml cannot be read here, so whether it is approved and published is unknown';
  return overrideFaults === undefined
    ? undefined
    : 'overrides.yaml cannot be used, so whether it is approved is unknown until that is fixed';
}

/**
 * Warns if the published ConfigMap could not be read, or its overrides are invalid, because a verdict without them may
 * differ from what is published.
 */
export function warnOfUnknownState(
  { fault, overrideFaults, tools }: CurrentState,
  { configMapNamespace, configMapName }: Configuration,
  { output }: CliContext,
): void {
  const where = `ConfigMap ${configMapNamespace}/${configMapName}`;
  if (fault !== undefined)
    warn(output, [
      {
        where,
        what: `cannot be read, so overrides, approvals and what is published are unknown here: ${fault}`,
        fix: 'run this with the permission to get that ConfigMap',
      },
    ]);
  if (overrideFaults !== undefined)
    warn(output, [
      {
        where: `${OVERRIDES_KEY} of ${where}`,
        what: `cannot be used, so overrides and approvals are unknown here, and ${whatStays(tools.length)}: ${overrideFaults}`,
      },
    ]);
}
