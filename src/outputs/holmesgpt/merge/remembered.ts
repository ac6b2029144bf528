import type { VersionTexts } from './version-line.ts';

/** The hand-written text before edits of the file became part of it, and after. */
export interface LearnedEdits {
  readonly before: string;
  readonly after: string;
}

/** What is remembered for a merge. */
export interface Remembered {
  /** The texts of the version that the file has edits of; absent: it has none, or they are not known. */
  readonly known?: VersionTexts;
  /** The edits that became part of the hand-written text, if somebody else wrote that since. */
  readonly learned?: LearnedEdits;
}
