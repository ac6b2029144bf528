import { type DetectOptions, detect } from '../detect/detect.ts';
import type { Rules } from '../detect/rules.ts';
import type { Candidate, DiscoveredService, Problem } from '../model/discovery.ts';
import type { Service } from '../model/service.ts';
import type { Prober } from '../probe/prober.ts';

/** What a pass works with. */
export interface Stages {
  readonly rules: Rules;
  readonly prober: Prober;
  readonly detection: DetectOptions;
}

/** What a pass found. */
export interface Found {
  readonly services: readonly DiscoveredService[];
  readonly problems: readonly Problem[];
}

/** One pass from Services to discovered services: detection, then all probes. */
export async function discover(
  services: Iterable<Service>,
  stages: Stages,
  signal: AbortSignal,
): Promise<Found> {
  const { candidates, problems } = detect(services, stages.rules, stages.detection);
  const probe = async (candidate: Candidate): Promise<DiscoveredService> => ({
    ...candidate,
    verdict: await stages.prober.probe(candidate, signal),
  });
  return { services: await Promise.all(candidates.map(probe)), problems };
}
