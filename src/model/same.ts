import { isMapping } from './mapping.ts';

/** Whether two lists have the same items in the same order. */
export const sameItems = <T>(one: readonly T[] | undefined, other: readonly T[] | undefined): boolean =>
  one === other ||
  (one !== undefined && one.length === other?.length && one.every((item, index) => item === other[index]));

/** Whether two values are deeply equal, ignoring the order of keys. */
export function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (!isMapping(a) || !isMapping(b)) return Object.is(a, b);
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]))
  );
}
