import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { DetectorSet } from '../model/detector.ts';
import { parseDetectors } from './parse-detectors.ts';

const FOLDER = join(import.meta.dirname, '../../detectors');

/**
 * The detectors and the vocabulary that come with the program. The build checks them once and puts them into the bundle
 * in this module's place.
 * @throws Error that names the file and the place in it, if one is broken
 */
export function builtInDetectors(): DetectorSet {
  return parseDetectors(
    readdirSync(FOLDER)
      .filter((name) => name.endsWith('.yaml'))
      .sort()
      .map((name) => ({ name, content: parse(readFileSync(join(FOLDER, name), 'utf8')) as unknown })),
  );
}
