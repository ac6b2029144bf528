import { compareText } from '../model/compare.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import type { Tool } from './tools.ts';

/** How precisely people name a backend: its Service, or all backends of its namespace. */
export type Naming = 'service' | 'namespace' | undefined;

/** What decides which backends come first. */
export interface Preference {
  /** Configured namespaces, in their order; `*` says nothing. */
  readonly namespaces: readonly string[];
  readonly naming: (tool: Tool) => Naming;
  /** Where there is room for one: whether a tool has the place. It keeps it before tools that nobody names. */
  readonly holds?: (tool: Tool) => boolean;
}

const NEVER = '9999';
const NAMED = { service: 1, namespace: 2 } as const;

/**
 * Tools in the order in which an agent prefers them, since models take the first, and some toolsets take only one: those that
 * people added, those that they named or changed, those of namespaces that they named, then the one that has the place, then
 * by the order of the configured namespaces, then by the age of the Service, then by namespace and name. Nothing in this is
 * for a tenant to choose: names, labels and what a server answers do not count, since a tenant writes them. And no Service
 * that comes, or that its owner offers later, takes the place of one that works.
 */
export function preferred<E extends { readonly tool: Tool }>(
  entries: readonly E[],
  { namespaces, naming, holds = () => false }: Preference,
): E[] {
  const named = (tool: Tool): number => {
    if (!tool.key.includes('/')) return 0;
    const how = tool.pinned ? 'service' : naming(tool);
    return how === undefined ? 3 : NAMED[how];
  };
  const place = ({ cluster, key }: Tool): number => {
    if (cluster !== HOME_CLUSTER) return namespaces.length;
    const found = namespaces.indexOf(key.slice(0, key.indexOf('/')));
    return found < 0 ? namespaces.length : found;
  };
  return entries
    .map((entry) => ({
      entry,
      tool: entry.tool,
      ranks: [named(entry.tool), Number(!holds(entry.tool)), place(entry.tool)],
    }))
    .sort(
      (a, b) =>
        a.ranks.map((rank, index) => rank - (b.ranks[index] ?? 0)).find((difference) => difference !== 0) ??
        (compareText(a.tool.created ?? NEVER, b.tool.created ?? NEVER) ||
          compareText(a.tool.key, b.tool.key)),
    )
    .map(({ entry }) => entry);
}
