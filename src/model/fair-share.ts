/**
 * The most that each of several may have, so that together they have no more than a total: who wants less than the others
 * keeps all of it, and only those over the level lose anything (max-min fairness, "water-filling").
 */
export function fairLevel(wanted: readonly number[], total: number): number {
  let left = Math.max(0, total);
  const sorted = wanted.toSorted((a, b) => a - b);
  for (const [index, size] of sorted.entries()) {
    const share = left / (sorted.length - index);
    if (size > share) return share;
    left -= size;
  }
  return Number.POSITIVE_INFINITY;
}

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
 * The items that go beyond their group's fair share. Within a group those that come first stay.
 * @param items in the order in which they shall stay
 */
export function beyondShare<T>(
  items: readonly T[],
  { group, size, total, each = Number.POSITIVE_INFINITY }: Sharing<T>,
): T[] {
  const groups = Map.groupBy(items, group);
  const sums = [...groups.values()].map((all) => all.reduce((sum, item) => sum + size(item), 0));
  const level = Math.min(
    each,
    fairLevel(
      sums.map((sum) => Math.min(sum, each)),
      total,
    ),
  );
  return [...groups.values()].flatMap((all) => {
    let used = 0;
    const first = all.findIndex((item) => {
      used += size(item);
      return used > level;
    });
    return first < 0 ? [] : all.slice(first);
  });
}
