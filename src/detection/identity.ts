import { CERTAINTIES } from '../model/certainties.ts';
import type { Certainty, Vocabulary } from '../model/detector.ts';
import type { Service } from '../model/service.ts';
import { quoteForDisplay } from './match.ts';
import { type CompiledDetector, phraseAt, type Role, type Rules } from './rules.ts';
import { lastRun, withoutInstance, wordsOf } from './words.ts';

/** A text in a Service that may name a product. */
interface Mention {
  readonly certainty: Certainty;
  readonly where: string;
  /** Its words without the installation's name, and all its words, because an installation is often named like the product. */
  readonly readings: readonly (readonly string[])[];
}

/** The texts of a Service, read once for all detectors. */
export interface Facts {
  readonly service: Service;
  readonly mentions: readonly Mention[];
  /** Words of its name without the installation's name. */
  readonly nameWords: readonly string[];
  /** Words of its component labels. */
  readonly componentWords: readonly string[];
}

/** Reads the facts of a Service. */
export function factsOf(service: Service, vocabulary: Vocabulary): Facts {
  const instances = vocabulary.instance.flatMap((key) => service.labels[key] ?? []);
  const readings = (text: string): string[][] => {
    const own = withoutInstance(text, instances);
    return own === text ? [wordsOf(text)] : [wordsOf(own), wordsOf(text)];
  };
  const mentions: Mention[] = [];
  for (const { from, key, certainty } of vocabulary.identity) {
    const value = service[from][key];
    if (value === undefined || value === '') continue;
    mentions.push({
      certainty,
      where: `${from === 'labels' ? 'label' : 'selector'} ${key}=${quoteForDisplay(value)}`,
      readings: readings(value),
    });
  }
  mentions.push({
    certainty: 'name',
    where: `name ${service.name}`,
    readings: readings(service.name),
  });
  return {
    service,
    mentions,
    nameWords: instances.includes(service.name) ? [] : wordsOf(withoutInstance(service.name, instances)),
    componentWords: vocabulary.component.flatMap((key) => wordsOf(service.labels[key] ?? '')),
  };
}

/** A role, and the words that mean it. */
export interface FoundRole {
  readonly role: Role;
  readonly words: string;
}

interface Reading {
  readonly roles: readonly FoundRole[];
  /** The first word that is neither a role nor neutral. */
  readonly unknown: string | undefined;
}

/** Reads words as roles, longest phrase first. */
function readRoles(
  words: readonly string[],
  compiled: CompiledDetector,
  neutral: ReadonlySet<string>,
): Reading {
  const roles: FoundRole[] = [];
  let unknown: string | undefined;
  for (let at = 0; at < words.length; ) {
    const phrase = phraseAt(words, at, compiled.phrases);
    if (phrase !== undefined) {
      roles.push({ role: phrase.role, words: phrase.words.join('-') });
      at += phrase.words.length;
    } else {
      const word = words[at] ?? '';
      if (!neutral.has(word)) unknown ??= word;
      at += 1;
    }
  }
  return { roles, unknown };
}

/** How a Service names a detector's product. */
export interface Identity {
  readonly certainty: Certainty;
  readonly detail: string;
  /** Whether all words before the product's name are known. */
  readonly exact: boolean;
  /** Number of words in the product's name. A longer name is more specific. */
  readonly length: number;
  readonly roles: readonly FoundRole[];
}

/** Why a text contains the product's name but means something else. */
export interface NotIdentity {
  readonly near: string;
}

function readMention(
  mention: Mention,
  compiled: CompiledDetector,
  rules: Rules,
): Identity | NotIdentity | undefined {
  for (const words of mention.readings) {
    for (const name of compiled.names) {
      const run = lastRun(words, name);
      if (run === undefined) continue;
      const after = readRoles(words.slice(run.end), compiled, rules.neutral);
      if (after.unknown !== undefined && compiled.detector.trailing === 'known')
        return {
          near: `${mention.where} says "${after.unknown}" after "${name.join('-')}", which is something else`,
        };
      const before = readRoles(words.slice(0, run.start), compiled, rules.neutral);
      return {
        certainty: mention.certainty,
        detail: mention.where,
        exact: before.unknown === undefined,
        length: name.length,
        roles: [...before.roles.filter(({ role }) => role.matchesBeforeProduct), ...after.roles],
      };
    }
  }
  return undefined;
}

/**
 * The product that only the namespace names, as in `gateway.loki`: a hint, if the Service's own name has nothing but words
 * for roles and neutral ones. Jsonnet libraries name Services like that.
 */
function namedByNamespace(
  { service, nameWords }: Facts,
  compiled: CompiledDetector,
  rules: Rules,
): Identity | undefined {
  if (compiled.detector.trailing !== 'known') return undefined;
  const { roles, unknown } = readRoles(nameWords, compiled, rules.neutral);
  if (roles.length === 0 || unknown !== undefined) return undefined;
  const where = `namespace ${service.namespace}`;
  const mention: Mention = { certainty: 'hint', where, readings: [wordsOf(service.namespace)] };
  const reading = readMention(mention, compiled, rules);
  return reading === undefined || 'near' in reading || !reading.exact ? undefined : reading;
}

/** The rank of a certainty. 0 is the most certain. */
export function certaintyRank(certainty: Certainty): number {
  return CERTAINTIES.indexOf(certainty);
}

/** Finds all places where a Service names a product, most certain first, and those where it nearly does. */
export function identify(
  facts: Facts,
  compiled: CompiledDetector,
  rules: Rules,
): { readonly found: readonly Identity[]; readonly near: readonly string[] } {
  const found: Identity[] = [];
  const near: string[] = [];
  for (const mention of facts.mentions) {
    const reading = readMention(mention, compiled, rules);
    if (reading === undefined) continue;
    if ('near' in reading) near.push(reading.near);
    else found.push(reading);
  }
  const fromNamespace = found.length === 0 ? namedByNamespace(facts, compiled, rules) : undefined;
  if (fromNamespace !== undefined) found.push(fromNamespace);
  found.sort(
    (a, b) =>
      certaintyRank(a.certainty) - certaintyRank(b.certainty) ||
      Number(b.exact) - Number(a.exact) ||
      b.length - a.length,
  );
  return { found, near };
}

/** The roles of a Service, from its component labels, its mentions of the product, and its name. */
export function rolesOf(
  facts: Facts,
  identities: readonly Identity[],
  compiled: CompiledDetector,
  rules: Rules,
): readonly FoundRole[] {
  const namesProduct = identities.some((identity) => identity.certainty === 'name');
  const fromName = namesProduct
    ? []
    : readRoles(facts.nameWords, compiled, rules.neutral).roles.filter(
        ({ role }) => !role.requiresProductName,
      );
  return [
    ...readRoles(facts.componentWords, compiled, rules.neutral).roles,
    ...identities.flatMap((identity) => identity.roles),
    ...fromName,
  ];
}
