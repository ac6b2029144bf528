import { isOrAre } from '../model/count-of.ts';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import type { Generated } from '../model/documents.ts';
import { displayKey } from '../model/key.ts';
import { oneLine } from '../model/text.ts';

/** Maximum backends that the note names, and maximum characters of the reason of each. */
const MAX_NAMES = 5;
const MAX_REASON = 120;

/** The note that unhealthy backends are left out of generated documents. Without any, there is none. */
export function unhealthyNotes(
  { unhealthy }: Pick<Generated, 'unhealthy'>,
  found: readonly DiscoveredService[],
): readonly Problem[] {
  if (unhealthy.length === 0) return [];
  const reasons = new Map(found.map(({ service, verdict }) => [displayKey(service), verdict.reason]));
  const named = unhealthy
    .slice(0, MAX_NAMES)
    .map((key) => `${key}: ${oneLine(reasons.get(key) ?? '', MAX_REASON)}`);
  const more = unhealthy.length > MAX_NAMES ? '; …' : '';
  return [
    {
      where: 'unhealthy backends',
      what: `${unhealthy.length} ${isOrAre(unhealthy.length)} left out (${named.join('; ')}${more})`,
      fix: 'discover lists all with their health, and explain shows what was requested; --probe none includes them unprobed',
    },
  ];
}
