import type { Certainty, Detector, Matcher, Vocabulary } from '../model/detector.ts';
import type { DetectorOptions, DetectorsOptions } from '../model/detector-options.ts';

/** A role of a component. */
export interface Role {
  readonly name: string;
  /** Rank as an entry point, lower is better. `undefined`: never an entry point. */
  readonly rank: number | undefined;
  readonly why: string;
  readonly matchesBeforeProduct: boolean;
  readonly requiresProductName: boolean;
  /** Whether it is something else than the product. */
  readonly isOther: boolean;
}

/** A phrase that means a role. */
export interface RolePhrase {
  readonly words: readonly string[];
  readonly role: Role;
}

/** The phrases of a detector by first and by last word, longest first. */
export interface Phrases {
  readonly byFirst: ReadonlyMap<string, readonly RolePhrase[]>;
  readonly byLast: ReadonlyMap<string, readonly RolePhrase[]>;
}

/** The longest phrase at a position. */
export function phraseAt(words: readonly string[], at: number, { byFirst }: Phrases): RolePhrase | undefined {
  return byFirst
    .get(words[at] ?? '')
    ?.find(({ words: run }) => run.every((word, offset) => words[at + offset] === word));
}

/** A detector, prepared for matching. */
export interface CompiledDetector {
  readonly detector: Detector;
  /** Position among the detectors. The earlier one wins if everything else is equal. */
  readonly order: number;
  readonly names: readonly (readonly string[])[];
  readonly signals: readonly { readonly certainty: Certainty; readonly match: Matcher }[];
  readonly phrases: Phrases;
  readonly accepts: ReadonlySet<string>;
  readonly options: DetectorOptions;
}

/** Detectors and vocabulary, prepared for matching. */
export interface Rules {
  readonly detectors: readonly CompiledDetector[];
  readonly byType: ReadonlyMap<string, CompiledDetector>;
  readonly vocabulary: Vocabulary;
  readonly neutral: ReadonlySet<string>;
  /** Disabled types. Annotations cannot enable them. */
  readonly disabled: ReadonlySet<string>;
  /** The detectors of disabled types, to explain what they would have matched. */
  readonly switchedOff: readonly CompiledDetector[];
}

/** The default options of a detector. */
export const DEFAULT_OPTIONS: DetectorOptions = {
  enabled: true,
  priority: 0,
  excludeNamespaces: [],
  paths: {},
  requiredAnnotations: {},
  require: 'all',
};

const longestFirst = (a: readonly string[], b: readonly string[]): number => b.length - a.length;

function phrasesOf(detector: Detector, vocabulary: Vocabulary): Phrases {
  const phrases: RolePhrase[] = [];
  for (const [name, definition] of Object.entries(vocabulary.roles)) {
    const { rank, why, anywhere, besideProduct, isOther } = definition;
    const role: Role = {
      name,
      rank,
      why,
      matchesBeforeProduct: anywhere,
      requiresProductName: besideProduct,
      isOther,
    };
    for (const word of [...definition.words, ...(detector.roles[name] ?? [])])
      phrases.push({ words: word.split('-'), role });
  }
  phrases.sort((a, b) => longestFirst(a.words, b.words));
  return {
    byFirst: Map.groupBy(phrases, ({ words }) => words[0] ?? ''),
    byLast: Map.groupBy(phrases, ({ words }) => words.at(-1) ?? ''),
  };
}

/** The fault of a detector that uses an unknown role. */
export function roleFault(detector: Detector, vocabulary: Vocabulary): string | undefined {
  for (const role of [...Object.keys(detector.roles), ...detector.accepts])
    if (!Object.hasOwn(vocabulary.roles, role))
      return `there is no role "${role}"; the vocabulary has ${Object.keys(vocabulary.roles).join(', ')}`;
  return undefined;
}

/**
 * Compiles detectors and vocabulary to rules.
 * @param detectors all detectors, disabled ones too
 * @throws Error if a detector uses an unknown role
 */
export function compileRules(
  detectors: readonly Detector[],
  vocabulary: Vocabulary,
  options: DetectorsOptions = {},
  disabled: ReadonlySet<string> = new Set(),
): Rules {
  const all = new Map<string, CompiledDetector>();
  for (const [order, detector] of detectors.entries()) {
    const fault = roleFault(detector, vocabulary);
    if (fault !== undefined) throw new Error(`detector ${detector.type}: ${fault}`);
    all.set(detector.type, {
      detector,
      order,
      names: detector.names.map((name) => name.split('-')).sort(longestFirst),
      signals: detector.signals.map(({ certainty, ...match }) => ({ certainty, match })),
      phrases: phrasesOf(detector, vocabulary),
      accepts: new Set(detector.accepts),
      options: options[detector.type] ?? DEFAULT_OPTIONS,
    });
  }
  const compiled = [...all.values()];
  const enabled = compiled.filter(({ detector }) => !disabled.has(detector.type));
  return {
    detectors: enabled,
    byType: new Map(enabled.map((each) => [each.detector.type, each])),
    vocabulary,
    neutral: new Set(vocabulary.neutral),
    disabled,
    switchedOff: compiled.filter(({ detector }) => disabled.has(detector.type)),
  };
}
