import type { Mapping } from '../../model/mapping.ts';
import { namespaceOf } from '../../planning/budget.ts';
import type { Tool } from '../../planning/tools.ts';
import { ownTools, serversOf, type ToolsetSize, toolsetSizes } from './count.ts';
import { entryOf } from './mapping.ts';
import type { HolmesDocument } from './toolsets.ts';

/** What of discovered backends would give HolmesGPT more tools than its model takes. */
export interface AgentTools {
  readonly beyond: readonly Tool[];
  /** How many tools there are without any discovered backend that can be left out. */
  readonly fixed: number;
  /** What the backends of a namespace bring, as the beginning of a sentence about it. */
  readonly brings: (namespace: string) => string;
}

/** A part of a namespace's backends that is left out as a whole: one MCP server, or all backends of the same toolsets. */
interface Unit {
  readonly namespace: string;
  readonly tools: readonly Tool[];
  /** Tools of an MCP server. */
  readonly own: number;
  readonly toolsets: readonly string[];
  /** Where its first tool stands in the order of precedence. */
  readonly place: number;
}

/** What a toolset costs because of discovered backends. */
interface Cost {
  readonly tools: number;
  /** Instances of people. */
  readonly others: number;
  /** One of the tools lists the instances, and is there because of discovered ones. */
  readonly listed: boolean;
}

/** All tools that the agent would offer with a document. */
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
 * How many tools a server brings. Of one that did not say, at least one is known to come; one whose list is too long to be
 * read counts as more than the agent can offer.
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

/** What each namespace brings, with toolsets shared out between those whose backends are in them. */
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
 * The units to leave out so that all others fit. Again and again the namespace that brings the most loses the last unit
 * that costs something; so one that brings less than the same part for each of them never loses anything.
 */
function beyondRoom(units: readonly Unit[], costs: ReadonlyMap<string, Cost>, room: number): Unit[] {
  const kept = new Set(units);
  const gone: Unit[] = [];
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

/** `has backends that bring HolmesGPT 60 tools (MCP servers 52, prometheus/metrics 8)`. */
function bringing(units: readonly Unit[], costs: ReadonlyMap<string, Cost>, namespace: string): string {
  const theirs = units.filter((unit) => unit.namespace === namespace);
  const servers = theirs.reduce((sum, { own }) => sum + own, 0);
  const toolsets = [...new Set(theirs.flatMap((unit) => unit.toolsets))].map((toolset) => {
    const sharers = new Set(
      units.filter((unit) => unit.toolsets.includes(toolset)).map((unit) => unit.namespace),
    ).size;
    const { tools = 0 } = costs.get(toolset) ?? {};
    const shared =
      sharers === 1 ? '' : ` shared with ${sharers - 1} other namespace${sharers === 2 ? '' : 's'}`;
    return { tools, text: `${toolset} ${tools}${shared}` };
  });
  const parts = [{ tools: servers, text: `MCP servers ${servers}` }, ...toolsets].filter(
    ({ tools }) => tools > 0,
  );
  const sum = parts.reduce((all, { tools }) => all + tools, 0);
  return `has backends that bring HolmesGPT ${sum} tool${sum === 1 ? '' : 's'} (${parts.map(({ text }) => text).join(', ')})`;
}

/**
 * Which discovered backends are beyond the tools that the agent can offer. What people brought counts for nobody; a toolset
 * of HolmesGPT that is on because of discovered backends counts for the namespaces of these.
 * @param ordered in order of precedence
 * @param holmes what the agent would load with all of them
 * @param people what it would load with people's tools only
 * @param holds whether a tool is in what the agent loads now; those stay before others of their namespace
 */
export function beyondAgentTools(
  ordered: readonly Tool[],
  holmes: HolmesDocument,
  people: () => HolmesDocument,
  most: number,
  holds: (tool: Tool) => boolean = () => false,
): AgentTools {
  const byKey = new Map(ordered.map((tool) => [tool.key, tool]));
  const offered = offeredTools(holmes.document, byKey, most);
  if (offered <= most) return { beyond: [], fixed: Math.min(offered, most), brings: () => '' };
  const held = new Set(ordered.filter(holds));
  const standing = [...held, ...ordered.filter((tool) => !held.has(tool))];
  const units = unitsOf(standing, holmes, most);
  const base = people().document;
  const sizes = toolsetSizes(base);
  const fixed = offeredTools(base, byKey, most);
  const costs = costsOf(holmes, sizes, units);
  return {
    beyond: beyondRoom(units, costs, most - fixed).flatMap(({ tools }) => tools),
    fixed,
    brings: (namespace) => bringing(units, costs, namespace),
  };
}
