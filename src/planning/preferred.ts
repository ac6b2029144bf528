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
const RANKS = { added: 0, service: 1, namespace: 2, other: 3 } as const;

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
      place: place(entry.tool),
      created: entry.tool.created ?? NEVER,
    }))
    .sort(
      (a, b) =>
        a.named - b.named ||
        a.holds - b.holds ||
        a.place - b.place ||
        compareText(a.created, b.created) ||
        compareText(a.entry.tool.key, b.entry.tool.key),
    )
    .map(({ entry }) => entry);
}
