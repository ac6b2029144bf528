import type { Approvals } from '../model/approvals.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { keyOfService } from '../model/service.ts';
import { toolsShown } from '../planning/tools-shown.ts';

/**
 * The MCP servers whose tools may have changed since they were probed: a new approval shows others. `approve` asks the server
 * itself, so that only another probe can tell whether it still offers these.
 */
export function outdatedTools(
  found: readonly DiscoveredService[],
  before: Approvals,
  now: Approvals,
): readonly DiscoveredService[] {
  return found.filter(({ service, verdict }) => {
    const key = keyOfService(service);
    const shown = now.get(key)?.tools;
    if (shown === undefined || shown === before.get(key)?.tools) return false;
    const offered = toolsShown(verdict);
    return offered !== undefined && offered !== shown;
  });
}
