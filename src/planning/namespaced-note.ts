import { compareText } from '../model/compare.ts';
import { beyondShare } from '../model/fair-share.ts';

/** One value of an annotation, by namespace and key. */
export interface NoteEntry<T> {
  /** As `displayNamespace` writes it, so it includes the cluster. */
  readonly namespace: string;
  readonly key: string;
  readonly value: T;
}

/** An annotation with values by namespace, and how many of each namespace it has no room for. */
export interface NamespacedNote {
  /** Empty without values. */
  readonly text: string;
  readonly omitted: ReadonlyMap<string, number>;
}

/** Entries that share a number of bytes. */
export interface NotePart {
  readonly entries: readonly NoteEntry<unknown>[];
  /** Maximum bytes, of the 256 KiB that all annotations of an object may have. */
  readonly most: number;
  /** Of these, bytes for the first entries, however many namespaces share the rest; absent: none. */
  readonly forFirst?: number;
}

/** The part of `forFirst` that one namespace may have. */
const FIRST_OF_NAMESPACE = 1 / 8;

// The namespace counts for each of its values, which is more than it takes.
const sizeOf = ({ namespace, key, value }: NoteEntry<unknown>): number =>
  Buffer.byteLength(JSON.stringify([namespace, key, value])) + 4;

/** The entries of a part for which there is no room. */
function beyondPart({ entries, most, forFirst = 0 }: NotePart): NoteEntry<unknown>[] {
  const used = new Map<string, number>();
  let total = 0;
  const others = entries.filter((entry) => {
    const size = sizeOf(entry);
    const own = (used.get(entry.namespace) ?? 0) + size;
    if (total + size > forFirst || own > forFirst * FIRST_OF_NAMESPACE) return true;
    used.set(entry.namespace, own);
    total += size;
    return false;
  });
  return beyondShare(others, { group: ({ namespace }) => namespace, size: sizeOf, total: most - total });
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => compareText(a, b);

/** Writes an annotation: JSON, `{NAMESPACE: {KEY: VALUE}}`. Namespaces share the bytes of each part fairly; first ones stay. */
export function noteOf(parts: readonly NotePart[]): NamespacedNote {
  const beyond = new Set(parts.flatMap(beyondPart));
  const kept = Map.groupBy(
    parts.flatMap(({ entries }) => entries).filter((each) => !beyond.has(each)),
    ({ namespace }) => namespace,
  );
  // The order of entries may change, and does not matter.
  const content = [...kept]
    .map(([namespace, each]) => {
      const values = each.map(({ key, value }) => [key, value] as const).sort(byKey);
      return [namespace, Object.fromEntries(values)] as const;
    })
    .sort(byKey);
  const omitted = Map.groupBy(beyond, ({ namespace }) => namespace);
  return {
    text: content.length === 0 ? '' : JSON.stringify(Object.fromEntries(content)),
    omitted: new Map([...omitted].map(([namespace, each]) => [namespace, each.length])),
  };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The values of such an annotation; none of a text that is something else. */
export function noteEntries(text: string | undefined): readonly NoteEntry<unknown>[] {
  let content: unknown;
  try {
    content = JSON.parse(text ?? '{}');
  } catch {
    return [];
  }
  return Object.entries(isObject(content) ? content : {}).flatMap(([namespace, values]) =>
    Object.entries(isObject(values) ? values : {}).map(([key, value]) => ({ namespace, key, value })),
  );
}
