import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularFile } from '../files/read-text.ts';
import type { Detector } from '../model/detector.ts';
import type { Problem } from '../model/discovery.ts';
import { ConfigError } from '../model/errors.ts';
import { unreadable } from '../model/unreadable.ts';
import { FILE, SMALL } from '../model/yaml-document.ts';
import { readYaml } from '../model/yaml-text.ts';
import { detectorSchema } from '../outputs/detector-schema.ts';

/** Detectors of one folder, with the names of their files, and what is wrong with others. */
export interface UserDetectors {
  readonly detectors: readonly { readonly name: string; readonly detector: Detector }[];
  readonly problems: readonly Problem[];
}

/**
 * The detectors in the YAML files of a folder. A broken file is refused with file, line and reason, and the others
 * still count.
 * @throws UserError if the folder cannot be read; AbortError
 */
export async function readDetectors(folder: string, signal?: AbortSignal): Promise<UserDetectors> {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw new ConfigError(
      `cannot read the detectors in ${folder}: ${unreadable(error, 'name a folder with --detectors')}`,
      { cause: error },
    );
  }
  const detectors: { name: string; detector: Detector }[] = [];
  const problems: Problem[] = [];
  const names = entries
    .filter((entry) => !entry.isDirectory() && /\.ya?ml$/.test(entry.name))
    .map((entry) => entry.name);
  for (const file of names.sort()) {
    const name = join(folder, file);
    let text: string;
    try {
      text = await readRegularFile(name, FILE.bytes, signal);
    } catch (error) {
      signal?.throwIfAborted();
      problems.push({
        where: name,
        what: `cannot be read: ${unreadable(error)}`,
        fix: 'it is skipped',
      });
      continue;
    }
    const result = readYaml(text, detectorSchema, { limits: SMALL });
    if ('value' in result) detectors.push({ name, detector: result.value });
    else
      for (const { line, column, message } of result.faults)
        problems.push({
          where: `${name}:${line}:${column}`,
          what: message,
          fix: 'the detector is skipped until the file is fixed',
        });
  }
  return { detectors, problems };
}
