import * as z from 'zod';
import { type Detector, type DetectorSet, vocabularySchema } from '../model/detector.ts';
import { detectorSchema } from '../outputs/detector-schema.ts';

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
 * The detectors in detector files, `vocabulary.yaml` among them. The later one of a type takes the other's place.
 * @throws Error that names the file and the place in it, if one is broken
 */
export function parseDetectors(files: readonly DetectorFile[]): DetectorSet {
  const vocabulary = check(
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
  return { vocabulary, detectors: [...detectors.values()] };
}
