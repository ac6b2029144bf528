import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const FOLDER = join(import.meta.dirname, '../../detectors');

/**
 * The contents of the detector files that come with the program, by name; `vocabulary.yaml` is among them.
 * The build puts their contents into the bundle in this module's place.
 */
export function builtInDetectorFiles(): { name: string; content: unknown }[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => ({ name, content: parse(readFileSync(join(FOLDER, name), 'utf8')) as unknown }));
}
