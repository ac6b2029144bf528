import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DetectorSet } from '../model/detector.ts';
import { parseDetectors } from './parse-detectors.ts';

const FOLDER = join(import.meta.dirname, '../../detectors');

/**
 * The detectors and the vocabulary that come with the program. The build checks them once and puts them into the bundle
 * in this module's place.
 * @throws ConfigError that lists the faults of a broken file with line and column, as `validate` does
 */
export function builtInDetectors(): DetectorSet {
  return parseDetectors(
    readdirSync(FOLDER)
      .filter((name) => name.endsWith('.yaml'))
      .sort()
      .map((name) => ({ name, text: readFileSync(join(FOLDER, name), 'utf8') })),
  );
}
