import type { Approvals } from '../model/approvals.ts';
import type { DiscoveredService, McpTool } from '../model/discovery.ts';
import { keyOfService, type Service, type ServiceKey } from '../model/service.ts';
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

/** MCP servers that are probed again because of their approval, with the tools of their last probe. */
export class Rechecks {
  readonly #tools = new Map<ServiceKey, readonly McpTool[] | undefined>();

  add({ service, verdict }: DiscoveredService): void {
    this.#tools.set(keyOfService(service), verdict.tools);
  }

  has(service: Service): boolean {
    return this.#tools.has(keyOfService(service));
  }

  /** Removes those that were probed since, or are gone. @returns whether there are any */
  settle(found: readonly DiscoveredService[]): boolean {
    if (this.#tools.size === 0) return false;
    const before = this.#tools.size;
    const known = new Map(found.map(({ service, verdict }) => [keyOfService(service), verdict.tools]));
    for (const [key, tools] of this.#tools) if (known.get(key) !== tools) this.#tools.delete(key);
    return this.#tools.size < before;
  }
}
