import { createHash } from 'node:crypto';

/** The two texts that a version of HolmesGPT's file was made from. */
export interface VersionTexts {
  readonly generated: string;
  readonly handWritten: string;
}

/**
 * What is remembered of earlier versions of HolmesGPT's file. `kubectl edit` writes back the whole file that it read, with the
 * person's changes, also if the program has written others meanwhile. Compared with the version that it began with, an edit
 * shows only what the person changed.
 */
export interface KnownVersions {
  set(version: string, texts: VersionTexts): void;
  get(version: string): VersionTexts | undefined;
}

/** Identifies the content of a file. */
const hashOf = (content: string): string => createHash('sha256').update(content).digest('hex').slice(0, 16);

/**
 * The line below the first one of the file. An edit keeps it, and so tells which version it began with.
 * @param revision the number of the write: the same content is another version if there was another one in between
 */
export const versionLine = (content: string, revision: number): string =>
  `# Version ${revision}-${hashOf(content)}. Keep this line: edits are compared with this version.\n`;

/** Whether a version has this content. */
export const isVersionOf = (version: string, content: string): boolean =>
  version.endsWith(`-${hashOf(content)}`);

/** Lines that an editor may have put before the first line count, so many at most. */
const MAX_HEAD = 20;

/** The comments at the beginning of a file, without white space around them. */
export function headOf(file: string): readonly string[] {
  const lines = file.split('\n', MAX_HEAD).map((line) => line.trim());
  const end = lines.findIndex((line) => line !== '' && line !== '---' && !line.startsWith('#'));
  return end < 0 ? lines : lines.slice(0, end);
}

/** A file without the line that names its version. It means nothing in a text of people. */
export const withoutVersion = (file: string): string =>
  file.replace(/^# Version \d+-[0-9a-f]{16}\. .*\n/m, '');

/** The number of the write of a version. */
export const revisionOfVersion = (version: string): number => Number(version.split('-')[0]);

/** The version of a file, with edits or without; `undefined` if it does not say. */
export function versionOf(file: string): string | undefined {
  const found = headOf(file).flatMap((line) => /^# Version (\d+-[0-9a-f]{16})\./.exec(line)?.[1] ?? []);
  return found[0];
}
