import type { Service } from '../model/service.ts';
import { matchService } from './match.ts';
import type { DetectOptions } from './owner.ts';
import type { Rules } from './rules.ts';

/** Why a Service is no backend, whatever the detectors find. `undefined` if they decide. */
export function keptOut(service: Service, rules: Rules, options: DetectOptions): string | undefined {
  if (service.terminating === true) return 'it is being deleted: its metadata.deletionTimestamp is set';
  if (service.type === 'ExternalName' && !options.allowExternalNames)
    return 'it is of type ExternalName, which leads to wherever its owner says; to allow all of these, set ALLOW_EXTERNAL_NAMES to true';
  for (const { why, ...match } of rules.vocabulary.optOut)
    if (matchService(service, match) !== undefined) return why;
  return undefined;
}
