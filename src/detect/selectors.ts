/** Every entry of `small` is in `large`, so whatever `large` selects, `small` selects too. */
export function within(small: ReadonlyMap<string, string>, large: ReadonlyMap<string, string>): boolean {
  if (small.size > large.size) return false;
  for (const [key, value] of small) if (large.get(key) !== value) return false;
  return true;
}
