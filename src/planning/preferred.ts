import type { Tool } from './tools.ts';

/** What people say of which backends matter. */
export interface Preference {
  /** Configured namespaces, in their order; `*` says nothing. */
  readonly namespaces: readonly string[];
  /** Backends that people named, as `namespace/service`. */
  readonly named: ReadonlySet<string>;
}

const NEVER = '9999';

/**
 * Tools in the order in which an agent prefers them, since models take the first, and some toolsets take one only: those that people added or named, then by the
 * order of the configured namespaces, then by the age of the Service, then by namespace and name. Nothing in this is for a
 * tenant to choose: names, labels and what a server answers do not count, since a tenant writes them.
 */
export function preferred<E extends { readonly tool: Tool }>(
  entries: readonly E[],
  { namespaces, named }: Preference,
): E[] {
  const rank = ({ key, pinned }: Tool): number => {
    const slash = key.indexOf('/');
    if (slash < 0) return -2;
    if (named.has(key) || pinned) return -1;
    const place = namespaces.indexOf(key.slice(0, slash));
    return place < 0 ? namespaces.length : place;
  };
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...entries].sort(
    ({ tool: a }, { tool: b }) =>
      rank(a) - rank(b) || compare(a.created ?? NEVER, b.created ?? NEVER) || compare(a.key, b.key),
  );
}
