import type { Service } from '../model/service.ts';
import type { Match } from './judge.ts';
import { phraseAt, type Rules } from './rules.ts';
import { selectionOf } from './selection.ts';
import { lastRun, wordsOf } from './words.ts';

/** A match with what grouping compares, computed once for each version of a Service. */
export interface Member {
  readonly match: Match;
  /** Empty where the Service has no selector that counts, or one with too many entries to look into. */
  readonly selector: ReadonlyMap<string, string>;
  /** Equal for equal selectors; undefined without a selector. */
  readonly selectorKey: string | undefined;
  /** The installations that its labels name, as `key=value`. */
  readonly instances: readonly string[];
  /** The name of the installation, as far as the Service's name begins with it; undefined: its name says nothing. */
  readonly stem: string | undefined;
  /** Words after the product's name that are neither parts of it nor neutral: operators put the installation's name last. */
  readonly rest: string;
  readonly role: string;
}

const NO_SELECTION = selectionOf({ selector: {} });

/** The name without the words that tell parts of one installation apart: `a` of `a-loki-query-frontend` and of `a-query`. */
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
  let end = words.length;
  for (let cut = 1; cut > 0 && end > 1; end -= cut) cut = lastPart(words, end, match, rules);
  return { stem: words.slice(0, end).join('-'), rest: '' };
}

/** How many of the words before `end` are a part of the product or neutral; 0: the last one says something else. */
function lastPart(words: readonly string[], end: number, { compiled }: Match, rules: Rules): number {
  const last = words[end - 1] ?? '';
  const phrase = compiled.phrases.byLast
    .get(last)
    ?.find(
      ({ words: run }) => run.length < end && run.every((word, i) => words[end - run.length + i] === word),
    );
  return phrase?.words.length ?? (rules.neutral.has(last) ? 1 : 0);
}

/** Words that play no role in the product and are not neutral. */
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

/** What grouping compares of a match. */
export function memberOf(match: Match, rules: Rules): Member {
  const { service } = match;
  // An ExternalName leads to no Pods, whatever its selector.
  const { key: selectorKey, entries: selector } =
    service.type === 'ExternalName' ? NO_SELECTION : selectionOf(service);
  const role = match.roles.join();
  if (selectorKey !== undefined && selector.size === 0)
    return { match, selector, selectorKey, instances: [], stem: undefined, rest: '', role };
  return {
    match,
    selector,
    selectorKey,
    instances: rules.vocabulary.instance.flatMap((key) =>
      service.labels[key] === undefined ? [] : `${key}=${service.labels[key]}`,
    ),
    ...stemOf(service, match, rules),
    role,
  };
}
