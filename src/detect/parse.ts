import * as z from 'zod';
import { type Detector, detectorSchema, type Vocabulary, vocabularySchema } from '../model/detector.ts';
import type { DetectorsOptions } from '../model/detector-options.ts';
import type { Problem } from '../model/discovery.ts';
import { compileRules, type Rules, roleFault } from './rules.ts';

/** The content of a detector file, read and not yet checked. */
export interface DetectorFile {
  readonly name: string;
  readonly content: unknown;
}

const VOCABULARY = 'vocabulary.yaml';

function check<T>(schema: z.ZodType<T>, name: string, content: unknown): T {
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  throw new Error(`detector file ${name}: ${z.prettifyError(result.error)}`);
}

/** Detectors that users add, and what operators set. */
export interface Customisation {
  /** Detectors in the order of their files; one of a type that is known already takes the other's place. */
  readonly added: readonly { readonly name: string; readonly detector: Detector }[];
  readonly options: DetectorsOptions;
  /** Types that are switched off, whether or not there are such. */
  readonly disabled: readonly string[];
}

const NONE: Customisation = { added: [], options: {}, disabled: [] };

/**
 * Rules made of detector files, `vocabulary.yaml` among them, and of what users add and set.
 * @returns the rules, and what is wrong with the customisation and was passed over
 * @throws Error that names the file and the place in it, if one of `files` is broken
 */
export function rulesFromFiles(
  files: readonly DetectorFile[],
  custom: Customisation = NONE,
): { readonly rules: Rules; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const vocabulary: Vocabulary = check(
    vocabularySchema,
    VOCABULARY,
    files.find(({ name }) => name === VOCABULARY)?.content,
  );
  const detectors = new Map<string, Detector>();
  for (const { name, content } of files) {
    if (name === VOCABULARY) continue;
    const detector = check(detectorSchema, name, content);
    detectors.set(detector.type, detector);
  }
  const from = new Map<string, string>();
  for (const { name, detector } of custom.added) {
    const fault = roleFault(detector, vocabulary);
    const earlier = from.get(detector.type);
    if (fault !== undefined) problems.push({ where: name, what: fault, fix: 'the detector is passed over' });
    else if (earlier !== undefined)
      problems.push({
        where: name,
        what: `${earlier} has a detector of the type ${detector.type} too`,
        fix: 'the detector is passed over; give it another type',
      });
    else {
      from.set(detector.type, name);
      detectors.set(detector.type, detector);
    }
  }
  for (const type of Object.keys(custom.options))
    if (!detectors.has(type))
      problems.push({
        where: `detectors.${type}`,
        what: `there is no detector of this type; there are ${[...detectors.keys()].sort().join(', ')}`,
      });
  const enabled = [...detectors.values()].filter(
    ({ type }) => custom.options[type]?.enabled !== false && !custom.disabled.includes(type),
  );
  return { rules: compileRules(enabled, vocabulary, custom.options), problems };
}
