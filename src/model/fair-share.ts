/** How things are shared out between groups. */
export interface Sharing<T> {
  readonly group: (item: T) => string;
  readonly size: (item: T) => number;
  /** The most for all groups together. */
  readonly total: number;
  /** The most for one group. */
  readonly each?: number;
}

/**
 * The items that go beyond their group's fair share (max-min fairness): whoever has least so far gets their next one first.
 * A group that wants no more than an equal share keeps all of it. Within a group those that come first stay.
 * @param items in the order in which they shall stay
 */
export function beyondShare<T>(
  items: readonly T[],
  { group, size, total, each = Number.POSITIVE_INFINITY }: Sharing<T>,
): T[] {
  const wanted = new Map<string, number>();
  const turns = items.map((item) => {
    const key = group(item);
    const upTo = (wanted.get(key) ?? 0) + size(item);
    wanted.set(key, upTo);
    return { item, key, upTo };
  });
  const full = new Set<string>();
  let used = 0;
  return turns
    .sort((a, b) => a.upTo - b.upTo)
    .flatMap(({ item, key, upTo }) => {
      if (upTo > each || used + size(item) > total) full.add(key);
      if (full.has(key)) return [item];
      used += size(item);
      return [];
    });
}
