import { countOf } from '../../model/count-of.ts';
import type { Mapping } from '../../model/mapping.ts';
import { bySeniority, type InUseSince, seniorityOf } from '../../model/seniority.ts';
import { oneLine } from '../../model/text.ts';
import { namespaceOf } from '../../planning/budget.ts';
import type { Tool } from '../../planning/tools.ts';
import { ownTools, serversOf, type ToolsetSize, toolsetSizes } from './checks/count.ts';
import { entryOf } from './render/mapping.ts';
import type { HolmesDocument } from './render/toolsets.ts';

/** The discovered backends with which HolmesGPT would have more tools than its model accepts. */
export interface AgentTools {
  readonly beyond: readonly Tool[];
  /** The number of tools that remain when every discovered backend is left out. */
  readonly fixed: number;
  /** The tools that a namespace adds, as a predicate for a message: `has backends that bring HolmesGPT 60 tools (…)`. */
  readonly brings: (namespace: string) => string;
}

/** Backends of a namespace that are left out together: one MCP server, or all backends of the same toolsets. */
interface Unit {
  readonly namespace: string;
  readonly tools: readonly Tool[];
  /** Number of tools of an MCP server. */
  readonly own: number;
  readonly toolsets: readonly string[];
  /** Position of its first tool in the order of precedence. */
  readonly place: number;
}

/** The tools that a toolset adds because of discovered backends. */
interface Cost {
  readonly tools: number;
  /** Number of instances from operators. */
  readonly others: number;
  /** One of the tools lists the instances, and exists only because of discovered ones. */
  readonly listed: boolean;
}

/** The number of tools that the agent would offer with a document. */
function offeredTools(document: Mapping, byKey: ReadonlyMap<string, Tool>, most: number): number {
  return serversOf(document).reduce((sum, name) => {
    const tool = byKey.get(name);
    return (
      sum +
      (tool === undefined || tool.pinned
        ? Math.max(1, tool?.verdict.tools?.length ?? 1)
        : toolsOfServer(tool, most))
    );
  }, ownTools(document));
}

/**
 * The number of tools of a server. A server that was not asked counts as one tool. A truncated list counts as more than the
 * agent can offer.
 */
function toolsOfServer({ verdict: { tools, toolsTruncated } }: Tool, most: number): number {
  const seen = Math.max(1, tools?.length ?? 1);
  return toolsTruncated === true ? Math.max(seen, most + 1) : seen;
}

function unitsOf(ordered: readonly Tool[], holmes: HolmesDocument, most: number): Unit[] {
  const servers = new Set(serversOf(holmes.document));
  const toolsetsOf = new Map<Tool, string[]>();
  for (const [toolset, tools] of holmes.uses)
    for (const tool of tools) toolsetsOf.set(tool, [...(toolsetsOf.get(tool) ?? []), toolset]);
  const units = new Map<string, Unit>();
  for (const [place, tool] of ordered.entries()) {
    if (tool.pinned) continue;
    const namespace = namespaceOf(tool);
    const toolsets = toolsetsOf.get(tool) ?? [];
    if ('mcp' in entryOf(tool) && servers.has(tool.key)) {
      const own = toolsOfServer(tool, most);
      units.set(tool.key, { namespace, tools: [tool], own, toolsets: [], place });
    } else if (toolsets.length > 0) {
      const key = JSON.stringify([namespace, ...toolsets]);
      const unit = units.get(key) ?? { namespace, tools: [], own: 0, toolsets, place };
      units.set(key, { ...unit, tools: [...unit.tools, tool] });
    }
  }
  return [...units.values()];
}

function costsOf(
  holmes: HolmesDocument,
  people: ReadonlyMap<string, ToolsetSize>,
  units: readonly Unit[],
): Map<string, Cost> {
  const sizes = toolsetSizes(holmes.document);
  const discovered = Map.groupBy(
    units.flatMap(({ toolsets, tools }) => toolsets.flatMap((toolset) => tools.map(() => toolset))),
    (toolset) => toolset,
  );
  return new Map(
    [...discovered].map(([toolset, backends]) => {
      const { tools = 0, instances = 0 } = sizes.get(toolset) ?? {};
      const theirs = people.get(toolset);
      return [
        toolset,
        {
          tools: Math.max(0, tools - (theirs?.tools ?? 0)),
          others: Math.max(0, instances - backends.length),
          listed: instances > 1 && (theirs?.instances ?? 0) <= 1,
        },
      ];
    }),
  );
}

/** The number of tools that each namespace adds. Namespaces whose backends are in the same toolset share its cost. */
function chargesOf(
  units: Iterable<Unit>,
  costs: ReadonlyMap<string, Cost>,
): { readonly charges: Map<string, number>; readonly total: number } {
  const charges = new Map<string, number>();
  const sharers = new Map<string, Set<string>>();
  const backends = new Map<string, number>();
  for (const { namespace, own, toolsets, tools } of units) {
    charges.set(namespace, (charges.get(namespace) ?? 0) + own);
    for (const toolset of toolsets) {
      sharers.set(toolset, (sharers.get(toolset) ?? new Set()).add(namespace));
      backends.set(toolset, (backends.get(toolset) ?? 0) + tools.length);
    }
  }
  let total = [...charges.values()].reduce((sum, each) => sum + each, 0);
  for (const [toolset, namespaces] of sharers) {
    const { tools = 0, others = 0, listed = false } = costs.get(toolset) ?? {};
    const alone = listed && others + (backends.get(toolset) ?? 0) <= 1;
    const cost = Math.max(0, tools - (alone ? 1 : 0));
    total += cost;
    for (const namespace of namespaces)
      charges.set(namespace, (charges.get(namespace) ?? 0) + cost / namespaces.size);
  }
  return { charges, total };
}

/**
 * The units to leave out so that the others fit: servers that do not fit alone, which take none of the others with them, and
 * then, again and again, the last unit of the namespace that adds the most tools. A namespace that adds less than an equal
 * share never loses a unit.
 */
function unitsToDrop(units: readonly Unit[], costs: ReadonlyMap<string, Cost>, room: number): Unit[] {
  const fits = ({ own }: Unit): boolean => own <= room;
  const kept = new Set(units.filter(fits));
  const gone = units.filter((unit) => !fits(unit));
  const counts = ({ own, toolsets }: Unit): boolean =>
    own > 0 || toolsets.some((toolset) => (costs.get(toolset)?.tools ?? 0) > 0);
  for (;;) {
    const { charges, total } = chargesOf(kept, costs);
    if (total <= room) return gone;
    const charge = ({ namespace }: Unit): number => charges.get(namespace) ?? 0;
    const candidates = [...kept].filter(counts);
    const [first, ...others] = candidates;
    if (first === undefined) return gone;
    const last = others.reduce((worst, unit) => {
      const more = charge(unit) - charge(worst);
      return more > 0 || (more === 0 && unit.place > worst.place) ? unit : worst;
    }, first);
    kept.delete(last);
    gone.push(last);
  }
}

/** `has backends that bring HolmesGPT 60 tools (MCP servers 52, prometheus/metrics 8)`, without servers that have more than is known. */
function describeCost(units: readonly Unit[], costs: ReadonlyMap<string, Cost>, namespace: string): string {
  const theirs = units.filter((unit) => unit.namespace === namespace);
  const isWhole = ({ tools }: Unit): boolean => tools.every(({ verdict }) => verdict.toolsTruncated !== true);
  const servers = theirs.filter(isWhole).reduce((sum, { own }) => sum + own, 0);
  const toolsets = [...new Set(theirs.flatMap((unit) => unit.toolsets))].map((toolset) => {
    const sharers = new Set(
      units.filter((unit) => unit.toolsets.includes(toolset)).map((unit) => unit.namespace),
    ).size;
    const { tools = 0 } = costs.get(toolset) ?? {};
    const shared = sharers === 1 ? '' : ` shared with ${countOf(sharers - 1, 'other namespace')}`;
    return { tools, text: `${toolset} ${tools}${shared}` };
  });
  const parts = [{ tools: servers, text: `MCP servers ${servers}` }, ...toolsets].filter(
    ({ tools }) => tools > 0,
  );
  const sum = parts.reduce((all, { tools }) => all + tools, 0);
  return `has backends that bring HolmesGPT ${countOf(sum, 'tool')} (${parts.map(({ text }) => text).join(', ')})`;
}

/** Maximum servers that a message names. */
const MAX_NAMES = 3;

/** What the servers whose lists of tools were not read whole exceed, for the line about each namespace. */
export const unreadServers =
  (all: readonly Tool[]) =>
  (namespace: string): string => {
    const tools = all.filter((tool) => namespaceOf(tool) === namespace);
    const named = tools
      .slice(0, MAX_NAMES)
      .map(({ key, verdict: { toolsGap } }) =>
        toolsGap === undefined ? key : `${key}: ${oneLine(toolsGap, 200)}`,
      );
    const more = tools.length > MAX_NAMES ? '; …' : '';
    const [lists, counts] =
      tools.length === 1
        ? ['whose list of tools was', 'so it counts']
        : ['whose lists of tools were', 'so they count'];
    return `has ${countOf(tools.length, 'MCP server')} ${lists} not read whole (${named.join('; ')}${more}), ${counts} as more tools than any limit allows`;
  };

/**
 * Selects the discovered backends to leave out because the agent cannot offer so many tools. Tools from operators are
 * charged to no namespace. A built-in toolset that is enabled because of discovered backends is charged to their namespaces.
 * @param ordered in order of precedence
 * @param holmes the document with all tools
 * @param people the document with tools from operators only
 * @param inUseSince earlier backends take precedence over others of their namespace
 * @param holds whether the agent has a tool now; of equally old ones, these take precedence
 */
export function excessTools(
  ordered: readonly Tool[],
  holmes: HolmesDocument,
  people: () => HolmesDocument,
  most: number,
  inUseSince: InUseSince,
  holds: (tool: Tool) => boolean = () => false,
): AgentTools {
  const byKey = new Map(ordered.map((tool) => [tool.key, tool]));
  const offered = offeredTools(holmes.document, byKey, most);
  if (offered <= most) return { beyond: [], fixed: Math.min(offered, most), brings: () => '' };
  const held = new Set(ordered.filter(holds));
  const since = (tool: Tool) => seniorityOf(tool.members, inUseSince);
  const standing = ordered.toSorted(
    (a, b) => bySeniority(since(a), since(b)) || Number(held.has(b)) - Number(held.has(a)),
  );
  const units = unitsOf(standing, holmes, most);
  const base = people().document;
  const sizes = toolsetSizes(base);
  const fixed = offeredTools(base, byKey, most);
  const costs = costsOf(holmes, sizes, units);
  return {
    beyond: unitsToDrop(units, costs, most - fixed).flatMap(({ tools }) => tools),
    fixed,
    brings: (namespace) => describeCost(units, costs, namespace),
  };
}
