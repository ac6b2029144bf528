import type { Configuration } from '../app/configuration.ts';
import type { CurrentState } from '../app/current-state.ts';
import type { CliContext } from './cli-context.ts';
import { warn } from './output.ts';

/** Warns if the published ConfigMap could not be read, because a verdict without it may differ from what is published. */
export function warnOfUnknownState(
  { fault }: CurrentState,
  { configMapNamespace, configMapName }: Configuration,
  { output }: CliContext,
): void {
  if (fault === undefined) return;
  warn(output, [
    {
      where: `ConfigMap ${configMapNamespace}/${configMapName}`,
      what: `cannot be read, so overrides, approvals and what is published are unknown here: ${fault}`,
      fix: 'run this with the permission to get that ConfigMap',
    },
  ]);
}
