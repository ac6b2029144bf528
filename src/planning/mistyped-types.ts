import type { Problem } from '../model/discovery.ts';
import { nearest } from '../model/nearest.ts';
import type { Overrides } from '../model/overrides.ts';

/** Maximum types to compare with all known ones. */
const MAX_COMPARISONS = 100;

/** Any word is a type, so fewer edits than elsewhere count as a typo: `minio` is not `mimir`. */
const editsIn = (type: string): number => (type.length > 8 ? 2 : 1);

/** The type of a tool in overrides, which is probably a typo. */
interface MistypedType extends Pick<Problem, 'what' | 'fix'> {
  /** The key of the tool. */
  readonly key: string;
}

/** The types in overrides that no detector has, and that resemble one that a detector has. Pure. */
export function mistypedTypes({ tools }: Overrides, known: readonly string[]): MistypedType[] {
  const types = new Set(Object.values(tools).flatMap(({ type }) => type ?? []));
  const unknown = [...types].filter((type) => !known.includes(type)).slice(0, MAX_COMPARISONS);
  const meant = new Map(unknown.map((type) => [type, nearest(type, known, editsIn(type))]));
  return Object.entries(tools).flatMap(([key, { type = '' }]) => {
    const word = meant.get(type);
    return word === undefined
      ? []
      : { key, what: `there is no detector ${type}`, fix: `did you mean ${word}?` };
  });
}
