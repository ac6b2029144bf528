import { type Approvals, isApproved, NO_APPROVALS } from '../model/approvals.ts';
import type { DiscoveredService, McpTool } from '../model/discovery.ts';
import { displayKey } from '../model/key.ts';
import { type Service, serviceKey } from '../model/service.ts';
import { toolsShown } from '../planning/tools-shown.ts';
import { outdatedTools, Rechecks } from './outdated-tools.ts';
import { type Baseline, type MemoryLimits, ToolMemory } from './tool-memory.ts';

/** The changes of one MCP server's tools. Names are untrusted text from the server. */
export interface ToolChange {
  /** The Service, as `displayKey` formats it. */
  readonly service: string;
  /**
   * The basis of the comparison. `before`: the tools when it was last published. `approval`: the tools that `approve`
   * showed. `nothing`: no tools were shown, or they may have been forgotten. For the last two, `added` lists all current
   * tools.
   */
  readonly since: 'before' | 'approval' | 'nothing';
  /** Tools that the server declares read-only come first, since they run without approval. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Tools with another description, other parameters, or other annotations. */
  readonly changed: readonly string[];
  /** For `before`: the tools are not those that `approve` showed either, so the agent asks before each of them. */
  readonly needsApproval?: true;
}

const namesOf = (tools: readonly McpTool[]): string[] =>
  tools.toSorted((a, b) => Number(b.readOnly) - Number(a.readOnly)).map(({ name }) => name);

function difference(
  service: string,
  before: readonly McpTool[],
  now: readonly McpTool[],
): ToolChange | undefined {
  const old = new Map(before.map((tool) => [tool.name, tool]));
  const names = new Set(now.map(({ name }) => name));
  const isOther = ({ name, digest, readOnly }: McpTool): boolean =>
    old.has(name) && (old.get(name)?.digest !== digest || old.get(name)?.readOnly !== readOnly);
  const change = {
    service,
    since: 'before',
    added: namesOf(now.filter(({ name }) => !old.has(name))),
    removed: namesOf(before.filter(({ name }) => !names.has(name))),
    changed: namesOf(now.filter(isOther)),
  } as const;
  return change.added.length + change.removed.length + change.changed.length === 0 ? undefined : change;
}

/** Reports how the tools of published MCP servers change, including servers that were away for a while. */
export class ToolWatch {
  readonly #memory: ToolMemory;
  #approvals: Approvals | undefined;
  /** Servers that were probed before a user was shown other tools, until the next probe. */
  readonly #outdated = new Rechecks();

  /** @param limits on the memory for servers that are away */
  constructor(limits?: MemoryLimits) {
    this.#memory = new ToolMemory(limits);
  }

  /**
   * Compares the current tools. A server whose list is unknown or truncated this time keeps its previous one. Without a
   * previous one, it is treated as a server without tools, because the agent asks before each tool until the list is known.
   * A server with an approval that shows other tools counts again after its next probe.
   * @param isPublished whether the tools of this Service reach the agent
   * @param approvals the approvals, with the tools that were shown
   */
  take(
    found: readonly DiscoveredService[],
    isPublished: (service: Service) => boolean,
    approvals: Approvals = NO_APPROVALS,
  ): ToolChange[] {
    this.#noteOutdated(found, approvals);
    const published = found.filter(({ service }) => isPublished(service));
    const keys = new Set(published.map(({ service }) => serviceKey(service)));
    const seen = published.flatMap((each) => {
      if (this.#outdated.has(each.service)) return [];
      const { tools, toolsTruncated, toolsGap } = each.verdict;
      const shown = approvals.get(serviceKey(each.service))?.tools;
      const before = this.#memory.recall(each, keys);
      if (tools !== undefined && toolsTruncated !== true) return [{ each, before, now: { tools, shown } }];
      if (toolsGap !== undefined && before === undefined) this.#memory.keep(each, { tools: [], shown });
      return [];
    });
    for (const { each, now } of seen) this.#memory.keep(each, now);
    this.#memory.trim(keys);
    return seen.flatMap(({ each, before, now }) => this.#changeOf(each, before, now, approvals) ?? []);
  }

  /** Notes servers that must be probed again before their tools are compared with those of a new approval. */
  #noteOutdated(found: readonly DiscoveredService[], approvals: Approvals): void {
    this.#outdated.settle(found);
    if (this.#approvals !== undefined)
      for (const each of outdatedTools(found, this.#approvals, approvals)) this.#outdated.add(each);
    this.#approvals = approvals;
  }

  #changeOf(
    found: DiscoveredService,
    before: Baseline | undefined,
    now: Baseline,
    approvals: Approvals,
  ): ToolChange | undefined {
    const needsApproval = now.shown !== undefined && now.shown !== toolsShown(found.verdict);
    const service = displayKey(found.service);
    const all = { service, added: namesOf(now.tools), removed: [], changed: [] };
    const change = before === undefined ? undefined : difference(service, before.tools, now.tools);
    if (change !== undefined) return needsApproval ? { ...change, needsApproval } : change;
    if (now.shown !== undefined) {
      const isNews = before === undefined || before.shown !== now.shown;
      return isNews && needsApproval ? { ...all, since: 'approval' } : undefined;
    }
    const isUnseen = isApproved(approvals, found.service, 'mcp') || this.#memory.forgot(found.service);
    return before === undefined && isUnseen ? { ...all, since: 'nothing' } : undefined;
  }
}
