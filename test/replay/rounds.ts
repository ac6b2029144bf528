import type { Case, CaseSettings } from './case.ts';
import { KINDS } from './cases/kinds.ts';

/** A case with its place. */
export interface Placed {
  readonly kind: string;
  readonly namespace: string;
  readonly entry: Case;
}

/** Cases whose settings fit together, so that the program sees all of them at once. */
export interface Round {
  readonly name: 'together' | 'by-type';
  readonly cases: readonly Placed[];
  readonly settings: CaseSettings;
}

/** The names of neutral namespaces belong to no product. */
const neutral = (kind: number, index: number): string =>
  `team-${String.fromCharCode('a'.charCodeAt(0) + kind)}${index + 1}`;

const placed: readonly Placed[] = KINDS.flatMap(({ title, cases }, kind) =>
  cases.map((entry, index) => ({
    kind: title,
    namespace: entry.namespace ?? neutral(kind, index),
    entry,
  })),
);

/** Puts the namespace of a case where its settings say `NS`. */
const inPlace = ({ entry, namespace }: Placed): object =>
  JSON.parse(JSON.stringify(entry.settings ?? {}).replaceAll(/\bNS\b/g, namespace));

/** Joins settings; two cases may name different Services of one type. */
function joined(one: object, other: object): object {
  const all: Record<string, unknown> = { ...one };
  for (const [key, value] of Object.entries(other) as [string, unknown][]) {
    const known = all[key];
    const areObjects = typeof known === 'object' && typeof value === 'object';
    if (known !== undefined && !areObjects) throw new Error(`two cases set ${key}`);
    all[key] = known === undefined ? value : joined(known as object, value as object);
  }
  return all;
}

const round = (name: Round['name'], cases: readonly Placed[]): Round => ({
  name,
  cases,
  settings: cases.map(inPlace).reduce(joined, {}),
});

export const ROUNDS: readonly Round[] = [
  round(
    'together',
    placed.filter(({ entry }) => entry.byType !== true),
  ),
  round(
    'by-type',
    placed.filter(({ entry }) => entry.byType === true),
  ),
];
