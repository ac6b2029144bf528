import { isMapping } from '../../../model/mapping.ts';
import { same } from '../../../model/same.ts';
import { hostOf, maybeSameHost } from '../../../model/same-url.ts';
import { serviceOfHost } from '../../../model/service-host.ts';
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

/** A text that says where a backend is. */
const isPlace = (field: string, text: string): boolean =>
  isAddress(field) || /^[a-z][a-z0-9+.-]*:\/\//i.test(text);

/** The places that a value names, at any depth: addresses, and programs with their arguments. */
function placesIn(value: unknown, field = ''): readonly string[] {
  if (typeof value === 'string') return isPlace(field, value) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((each) => placesIn(each, field));
  if (!isMapping(value)) return [];
  const { command, args } = value;
  const program = typeof command === 'string' ? [JSON.stringify([command, args])] : [];
  return [...program, ...Object.entries(value).flatMap(([key, each]) => placesIn(each, key))];
}

/** The name under which a host is looked up: equal for all hosts that may be the same. */
const wordOf = (host: string): string => serviceOfHost(host)?.name ?? host;

/**
 * Finds entries that name a place, or a host in any spelling, that one of some values names.
 * @param values entries, or backends of lists
 */
export function placesOf(values: readonly unknown[]): (entry: unknown) => boolean {
  const texts = new Set(values.flatMap((each) => placesIn(each)));
  const hosts = Map.groupBy(new Set([...texts].flatMap((text) => hostOf(text) ?? [])), wordOf);
  return (entry) =>
    placesIn(entry).some((text) => {
      if (texts.has(text)) return true;
      const host = hostOf(text);
      return (
        host !== undefined && hosts.get(wordOf(host))?.some((each) => maybeSameHost(host, each)) === true
      );
    });
}
