import type { DiscoveredService, McpTool } from '../model/discovery.ts';
import { serviceKey } from '../model/service.ts';

/** How the tools of one MCP server differ from what they were; names are the server's own text. */
export interface ToolChange {
  /** `namespace/name` of the Service. */
  readonly service: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Another description, other parameters, or other annotations. */
  readonly changed: readonly string[];
}

function difference(
  service: string,
  before: readonly McpTool[],
  now: readonly McpTool[],
): ToolChange | undefined {
  const old = new Map(before.map((tool) => [tool.name, tool]));
  const names = new Set(now.map(({ name }) => name));
  const change = {
    service,
    added: now.filter(({ name }) => !old.has(name)).map(({ name }) => name),
    removed: before.filter(({ name }) => !names.has(name)).map(({ name }) => name),
    changed: now
      .filter(({ name, digest }) => old.has(name) && old.get(name)?.digest !== digest)
      .map(({ name }) => name),
  };
  return change.added.length + change.removed.length + change.changed.length === 0 ? undefined : change;
}

/** Remembers the tools of the MCP servers that are published, and tells how they change. */
export class ToolWatch {
  #known = new Map<string, readonly McpTool[]>();

  /**
   * Takes what was found now. A server whose list is not known this time, or known in part, keeps the one before.
   * @param isPublished whether the tools of this Service reach the agent
   */
  take(found: readonly DiscoveredService[], isPublished: (key: string) => boolean): ToolChange[] {
    const known = new Map<string, readonly McpTool[]>();
    const changes: ToolChange[] = [];
    for (const { service, verdict } of found) {
      const key = serviceKey(service);
      const before = this.#known.get(key);
      const whole = verdict.toolsTruncated === true ? undefined : verdict.tools;
      const now = whole ?? before;
      if (now === undefined || !isPublished(key)) continue;
      known.set(key, now);
      const change = before === undefined || before === now ? undefined : difference(key, before, now);
      if (change !== undefined) changes.push(change);
    }
    this.#known = known;
    return changes;
  }
}
