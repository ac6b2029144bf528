import type * as z from 'zod';
import { type Detector, type DetectorSet, vocabularySchema } from '../model/detector.ts';
import { ConfigError } from '../model/errors.ts';
import { faultLines, readYaml } from '../model/yaml-text.ts';
import { detectorSchema } from '../outputs/detector-schema.ts';

/** A detector file, read and not yet parsed. */
export interface DetectorFile {
  readonly name: string;
  readonly text: string;
}

const VOCABULARY = 'vocabulary.yaml';

function check<T>(schema: z.ZodType<T>, { name, text }: DetectorFile): T {
  const read = readYaml(text, schema);
  if ('value' in read) return read.value;
  const lines = faultLines(
    read,
    ({ line, column, message }) => `detectors/${name}:${line}:${column}: ${message}`,
  );
  throw new ConfigError(lines.join('\n'));
}

/**
 * The detectors in detector files, `vocabulary.yaml` among them. The later one of a type takes the other's place.
 * @throws ConfigError that lists each fault of the first broken file with its line and column
 */
export function parseDetectors(files: readonly DetectorFile[]): DetectorSet {
  const found = files.find(({ name }) => name === VOCABULARY);
  const vocabulary = check(vocabularySchema, found ?? { name: VOCABULARY, text: '' });
  const detectors = new Map<string, Detector>();
  for (const file of files) {
    if (file.name === VOCABULARY) continue;
    const detector = check(detectorSchema, file);
    detectors.set(detector.type, detector);
  }
  return { vocabulary, detectors: [...detectors.values()] };
}
