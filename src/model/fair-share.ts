/** How to share a budget between groups. */
export interface Sharing<T> {
  readonly group: (item: T) => string;
  readonly size: (item: T) => number;
  /** Budget of all groups together. */
  readonly total: number;
  /** Budget of each group. */
  readonly each?: number;
}

/**
 * Returns the items beyond their group's fair share (max-min fairness): the group with the least so far gets its next
 * item first, so a group below an equal share keeps everything. Within a group, the first items stay.
 * @param items in order of precedence
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
