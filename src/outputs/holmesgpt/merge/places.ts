import { isMapping } from '../../../model/mapping.ts';
import { same } from '../../../model/same.ts';
import { hostOf, maybeSameHost } from '../../../model/same-url.ts';
import { serviceOfHost } from '../../../model/service-host.ts';
import { addressesOf, isAddress } from '../contract/shape.ts';
import { own } from '../yaml.ts';

/** The backends that a toolset lists, or its only one, which has no name. Any other entry is one itself. */
export function partsOf(section: string, entry: unknown): readonly unknown[] {
  const config = own(entry, 'config');
  if (section !== 'toolsets' || !isMapping(config)) return [entry];
  const items = Object.values(config).flatMap((value) => (Array.isArray(value) ? value : []));
  const backends = items.filter(isMapping);
  if (backends.length > 0) return backends;
  return addressesOf(config).length === 0 ? [entry] : [config];
}

/** Identifies a backend by what matters: it has a name only in a list. */
function contentOf(part: unknown): string {
  if (!isMapping(part)) return JSON.stringify(part);
  const fields = Object.entries(part).filter(([field]) => field !== 'name' && field !== 'id');
  return JSON.stringify(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The backends of an entry that another version of it does not have, or has with other options. */
export function partsWithout(section: string, entry: unknown, other: unknown): readonly unknown[] {
  if (same(entry, other)) return [];
  const there = new Set(partsOf(section, other).map(contentOf));
  return partsOf(section, entry).filter((part) => !there.has(contentOf(part)));
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
