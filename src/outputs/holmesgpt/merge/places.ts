import { isMapping } from '../../../model/mapping.ts';
import { same } from '../../../model/same.ts';
import { hostOf, maybeSameHost } from '../../../model/same-url.ts';
import { isAddress } from '../contract/shape.ts';
import { own } from '../yaml.ts';

/** The backends that an entry lists, or the entry itself if it lists none. */
export function partsOf(entry: unknown): readonly unknown[] {
  const config = own(entry, 'config');
  const items = isMapping(config)
    ? Object.values(config).flatMap((value) => (Array.isArray(value) ? value : []))
    : [];
  const backends = items.filter(isMapping);
  return backends.length === 0 ? [entry] : backends;
}

/** The backends of an entry that another version of it does not have, or has with other options. */
export function partsWithout(entry: unknown, other: unknown): readonly unknown[] {
  if (same(entry, other)) return [];
  const there = new Set(partsOf(other).map((part) => JSON.stringify(part)));
  return partsOf(entry).filter((part) => !there.has(JSON.stringify(part)));
}

/** A text that says where a backend is: a URL, an address, or a command. */
const isPlace = (field: string, text: string): boolean =>
  isAddress(field) || field === 'command' || /^[a-z][a-z0-9+.-]*:\/\//i.test(text);

/** The places that a value names, at any depth. */
function placesIn(value: unknown, field = ''): readonly string[] {
  if (typeof value === 'string') return isPlace(field, value) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((each) => placesIn(each, field));
  return isMapping(value) ? Object.entries(value).flatMap(([key, each]) => placesIn(each, key)) : [];
}

/** Whether two entries name the same place, or the same host in any spelling. */
export function sharesPlace(one: unknown, other: unknown): boolean {
  const theirs = placesIn(other).map((text) => ({ text, host: hostOf(text) }));
  return (
    theirs.length > 0 &&
    placesIn(one).some((text) => {
      const host = hostOf(text);
      return theirs.some(
        (each) =>
          each.text === text ||
          (host !== undefined && each.host !== undefined && maybeSameHost(host, each.host)),
      );
    })
  );
}
