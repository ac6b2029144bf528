import { z } from 'zod';
import { type Detector, detectorSchema, type Vocabulary, vocabularySchema } from '../model/detector.ts';
import { compileRules, type Rules } from './rules.ts';

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

/**
 * Rules made of detector files; `vocabulary.yaml` must be among them.
 * @throws Error that names the file and the place in it, if one is broken
 */
export function rulesFromFiles(files: readonly DetectorFile[]): Rules {
  const vocabulary: Vocabulary = check(
    vocabularySchema,
    VOCABULARY,
    files.find(({ name }) => name === VOCABULARY)?.content,
  );
  const detectors: Detector[] = files
    .filter(({ name }) => name !== VOCABULARY)
    .map(({ name, content }) => check(detectorSchema, name, content));
  return compileRules(detectors, vocabulary);
}
