import type { Toolset } from '../model/documents.ts';
import type { Overrides } from '../model/overrides.ts';

/** What a revision is compared with before it is published again. */
export interface Standing {
  /** What was published last as the inputs had it, newest first. */
  readonly toolsets: readonly Toolset[];
  /** The overrides as they are now. What users ask for may not be published yet. */
  readonly overrides: Overrides;
  /** The overrides with which the newest toolset was made. */
  readonly applied: Overrides;
  /** Whether servers may be missing in the newest toolset only for now, so that it says nothing about their tools. */
  readonly isPartial?: boolean;
}
