import { compareText } from '../model/compare.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import type { Tool } from './tools.ts';

/** How precisely the configuration names a backend: its Service, or its namespace. */
export type Naming = 'service' | 'namespace' | undefined;

/** The order of preference of backends. */
export interface Preference {
  /** Configured namespaces, in order. `*` has no effect. */
  readonly namespaces: readonly string[];
  readonly naming: (tool: Tool) => Naming;
  /** For toolsets with one backend: whether a tool is the current one, which precedes tools that nobody named. */
  readonly holds?: (tool: Tool) => boolean;
}

const NEVER = '9999';
const RANKS = { added: 0, service: 1, namespace: 2, other: 3 } as const;

/**
 * Sorts tools by preference. The order matters because models use the first tool, and some toolsets accept only one: users'
 * own tools, tools that users named or changed, tools of namespaces that users named, the current tool, tools that no
 * other product brings for its own use, then by order of the configured namespaces, by age of the Service, and by namespace and name. Tenants cannot
 * move their tools up: what they write does not count, or moves them down, and a new Service does not displace one that works.
 */
export function preferred<E extends { readonly tool: Tool }>(
  entries: readonly E[],
  { namespaces, naming, holds = () => false }: Preference,
): E[] {
  const named = (tool: Tool): number => {
    if (!tool.key.includes('/')) return RANKS.added;
    return RANKS[tool.pinned ? 'service' : (naming(tool) ?? 'other')];
  };
  const place = ({ cluster, key }: Tool): number => {
    if (cluster !== HOME_CLUSTER) return namespaces.length;
    const found = namespaces.indexOf(key.slice(0, key.indexOf('/')));
    return found < 0 ? namespaces.length : found;
  };
  return entries
    .map((entry) => ({
      entry,
      named: named(entry.tool),
      holds: holds(entry.tool) ? 0 : 1,
      bundled: entry.tool.bundledWith === undefined ? 0 : 1,
      place: place(entry.tool),
      created: entry.tool.created ?? NEVER,
    }))
    .sort(
      (a, b) =>
        a.named - b.named ||
        a.holds - b.holds ||
        a.bundled - b.bundled ||
        a.place - b.place ||
        compareText(a.created, b.created) ||
        compareText(a.entry.tool.key, b.entry.tool.key),
    )
    .map(({ entry }) => entry);
}
