import { discover, type PassResult, type Stages } from '../controller/pass.ts';
import type { Service } from '../model/service.ts';
import { type Outage, outageProblem } from '../probing/outage.ts';
import { OutageProber } from '../probing/outage-prober.ts';

/**
 * Discovers once, for a command. As with `serve`, the health of backends is unknown if none of them can be reached, and a
 * problem says so.
 */
export async function discoverOnce(
  services: Iterable<Service>,
  stages: Stages,
  signal: AbortSignal,
): Promise<PassResult> {
  let outage: Outage | undefined;
  const prober = new OutageProber(
    stages.prober,
    () => {},
    (event) => {
      if (event.kind === 'outage') ({ outage } = event);
    },
  );
  const result = await discover(services, { ...stages, prober }, signal);
  return outage === undefined ? result : { ...result, problems: [outageProblem(outage), ...result.problems] };
}
