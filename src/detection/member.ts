import { isPart } from '../model/part.ts';
import type { Service } from '../model/service.ts';
import type { Match } from './evaluate.ts';
import { phraseAt, type Rules } from './rules.ts';
import { type Selection, selectionOf, selectsOnePod, setSelection } from './selection.ts';
import { lastRun, wordsOf } from './words.ts';

/** A match with the data for grouping, computed once per version of a Service. */
export interface Member {
  readonly match: Match;
  /** Creation time of the Service, in milliseconds. NaN if unknown. */
  readonly created: number;
  /** The selector. Empty if the Service has none, or one with too many entries to compare. */
  readonly selector: ReadonlyMap<string, string>;
  /** Key of the selector. `undefined` without one. */
  readonly selectorKey: string | undefined;
  /** The selector without what is for one Pod of a StatefulSet. */
  readonly set: Pick<Selection, 'key' | 'entries'>;
  /** Whether it is for one Pod of a StatefulSet. */
  readonly isForOnePod: boolean;
  /** The installations in its labels, as `key=value`. */
  readonly instances: readonly string[];
  /** The name of the installation, from the start of the Service's name. `undefined` if the name is not used. */
  readonly stem: string | undefined;
  /**
   * Words after the product's name that are neither roles nor neutral, and a number at the end of a name without a role.
   * Operators put the installation's name last.
   */
  readonly rest: string;
  readonly role: string;
}

const NO_SELECTION = selectionOf({ selector: {} });

/** Splits a name into the installation's stem and the rest: the stem of `a-loki-query-frontend` and `a-query` is `a`. */
function stemOf(
  service: Service,
  match: Match,
  rules: Rules,
): { readonly stem: string; readonly rest: string } {
  const words = wordsOf(service.name);
  for (const name of match.compiled.names) {
    const run = lastRun(words, name);
    if (run !== undefined)
      return {
        stem: words.slice(0, run.start).join('-'),
        rest: withoutParts(words.slice(run.end), match, rules).join('-'),
      };
  }
  // Only the namespace names the product, so the installation has no other name.
  if (match.certainty === 'hint' && hasOnlyParts(words, match, rules)) return { stem: '', rest: '' };
  let end = words.length;
  for (let cut = 1; cut > 0 && end > 1; end -= cut) cut = lastPart(words, end, match, rules);
  return { stem: words.slice(0, end).join('-'), rest: '' };
}

/** The number at the end of a name without a role, which may tell two installations apart. */
const ordinalOf = (name: string, role: string): string =>
  role === '' ? (/-(\d+)$/.exec(name)?.[1] ?? '') : '';

/** Number of words before `end` that form a role or are neutral. 0 if the last one is neither. */
function lastPart(words: readonly string[], end: number, { compiled }: Match, rules: Rules): number {
  const last = words[end - 1] ?? '';
  const phrase = compiled.phrases.byLast
    .get(last)
    ?.find(
      ({ words: run }) => run.length < end && run.every((word, i) => words[end - run.length + i] === word),
    );
  return phrase?.words.length ?? (rules.neutral.has(last) ? 1 : 0);
}

/** Words that are neither roles of the product nor neutral. */
function withoutParts(words: readonly string[], { compiled }: Match, rules: Rules): string[] {
  const rest: string[] = [];
  for (let at = 0; at < words.length; ) {
    const phrase = phraseAt(words, at, compiled.phrases);
    const word = words[at] ?? '';
    if (phrase === undefined && !rules.neutral.has(word)) rest.push(word);
    at += phrase?.words.length ?? 1;
  }
  return rest;
}

/** Whether a name has no other words than those for roles, and neutral ones. */
const hasOnlyParts = (words: readonly string[], match: Match, rules: Rules): boolean =>
  phraseAt(words, 0, match.compiled.phrases) !== undefined && withoutParts(words, match, rules).length === 0;

/** Computes the data for grouping. */
export function memberOf(match: Match, rules: Rules): Member {
  const { service } = match;
  // An ExternalName selects no Pods, even with a selector.
  const hasPods = service.type !== 'ExternalName';
  const { key: selectorKey, entries: selector } = hasPods ? selectionOf(service) : NO_SELECTION;
  const { key, entries } = hasPods ? setSelection(service) : NO_SELECTION;
  const set = { key, entries };
  const isForOnePod = selectsOnePod(service);
  const role = match.roles.join();
  const created = Date.parse(service.created ?? '');
  // The names and installations of a part are those of another product.
  if (isPart(service) || (selectorKey !== undefined && selector.size === 0))
    return {
      match,
      created,
      selector,
      selectorKey,
      set,
      isForOnePod,
      instances: [],
      stem: undefined,
      rest: '',
      role,
    };
  const { stem, rest } = stemOf(service, match, rules);
  return {
    match,
    created,
    selector,
    selectorKey,
    set,
    isForOnePod,
    instances: rules.vocabulary.instance.flatMap((key) =>
      service.labels[key] === undefined ? [] : `${key}=${service.labels[key]}`,
    ),
    stem,
    rest: [rest, ordinalOf(service.name, role)].filter((part) => part !== '').join('-'),
    role,
  };
}
