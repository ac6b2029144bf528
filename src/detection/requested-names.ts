import { keyOfService, type Service, type ServiceKey } from '../model/service.ts';
import { keptOut } from './kept-out.ts';
import { type DetectOptions, requestedName } from './owner.ts';
import type { Rules } from './rules.ts';

/**
 * The Services that ask for names, by the name in lower case. It does not matter whether they are backends now, but those that
 * are kept out ask for nothing.
 */
export function requestsFor(
  services: readonly Service[],
  rules: Rules,
  options: DetectOptions,
): Map<string, Set<ServiceKey>> {
  const kinds = new Map(
    rules.detectors.map(({ detector }) => [detector.fromAnnotations.name, detector] as const),
  );
  const requests = new Map<string, Set<ServiceKey>>();
  for (const service of services)
    for (const detector of kinds.values()) {
      const name = requestedName(service, detector)?.toLowerCase();
      if (name === undefined || keptOut(service, rules, options) !== undefined) continue;
      const known = requests.get(name) ?? new Set();
      requests.set(name, known.add(keyOfService(service)));
    }
  return requests;
}
