import type { VersionTexts } from './version-line.ts';

/** What is remembered for a merge. */
export interface Remembered {
  /** The texts of the version that the file has edits of; absent: it has none, or they are not known. */
  readonly known?: VersionTexts;
  /** The entries that people changed since that version, such as `toolsets prometheus/metrics`, also if they are as before again. */
  readonly touched?: readonly string[];
  /** The texts that the file was made from last, if one of them is missing. */
  readonly latest?: VersionTexts;
  /** The hand-written text as this program last saw it, if its key is missing now. */
  readonly deleted?: string;
  /** Nothing was remembered before, so only the file shows what the hand-written text was. */
  readonly isFirst?: true;
  /** The hand-written text as this program last saw it, if somebody changed it since. */
  readonly former?: string;
}
