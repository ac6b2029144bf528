import { CERTAINTIES } from '../model/certainties.ts';
import type { Certainty, Vocabulary } from '../model/detector.ts';
import type { Service } from '../model/service.ts';
import { shown } from './match.ts';
import { type CompiledDetector, phraseAt, type Role, type Rules } from './rules.ts';
import { lastRun, withoutInstance, wordsOf } from './words.ts';

/** A text of a Service that may name a product. */
interface Mention {
  readonly certainty: Certainty;
  readonly where: string;
  /** Its words without the installation's name, and all of them: an installation is often called like the product. */
  readonly readings: readonly (readonly string[])[];
}

/** What a Service says about itself, read once for all detectors. */
export interface Facts {
  readonly service: Service;
  readonly mentions: readonly Mention[];
  /** Words of its name without the installation's; empty where the name is the installation's. */
  readonly nameWords: readonly string[];
  /** Words of the labels that name its part. */
  readonly componentWords: readonly string[];
}

/** Reads what a Service says about itself. */
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
      where: `${from === 'labels' ? 'label' : 'selector'} ${key}=${shown(value)}`,
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

/** A role that was found, and the words that gave it. */
export interface FoundRole {
  readonly role: Role;
  readonly words: string;
}

interface Reading {
  readonly roles: readonly FoundRole[];
  /** The first word that says neither a role nor nothing. */
  readonly unknown: string | undefined;
}

/** Reads words one by one as roles, longest phrase first. */
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
  /** Nothing but the product's name and known words: not one word of somebody else before it. */
  readonly exact: boolean;
  /** How many words the product's name has: a longer one is the more specific. */
  readonly length: number;
  readonly roles: readonly FoundRole[];
}

/** Why a text that has the product's name does not mean the product. */
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
        roles: [...before.roles.filter(({ role }) => role.anywhere), ...after.roles],
      };
    }
  }
  return undefined;
}

/** Position of a certainty: 0 is the most certain. */
export function certaintyRank(certainty: Certainty): number {
  return CERTAINTIES.indexOf(certainty);
}

/** All the places where a Service names a product, the most certain first; and where it nearly does. */
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
  found.sort(
    (a, b) =>
      certaintyRank(a.certainty) - certaintyRank(b.certainty) ||
      Number(b.exact) - Number(a.exact) ||
      b.length - a.length,
  );
  return { found, near };
}

/** The roles that a Service plays: from its component label, from what names the product, and from its own name. */
export function rolesOf(
  facts: Facts,
  identities: readonly Identity[],
  compiled: CompiledDetector,
  rules: Rules,
): readonly FoundRole[] {
  const namesProduct = identities.some((identity) => identity.certainty === 'name');
  const fromName = namesProduct
    ? []
    : readRoles(facts.nameWords, compiled, rules.neutral).roles.filter(({ role }) => !role.besideProduct);
  return [
    ...readRoles(facts.componentWords, compiled, rules.neutral).roles,
    ...identities.flatMap((identity) => identity.roles),
    ...fromName,
  ];
}
