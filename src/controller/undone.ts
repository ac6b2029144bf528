import { DOCUMENT_KEYS } from '../model/documents.ts';
import type { Plan, Published } from '../model/published.ts';
import type { Decision } from '../planning/decide.ts';
import { CONTENT_HASH, plan } from '../planning/plan.ts';

/**
 * What tells all that a plan wants to be there from what others want, but for its owner, which comes and goes with a
 * right. The documents are in it by their hash, which is one of the annotations.
 */
export const wantedBy = ({ labels, annotations }: Plan): string => JSON.stringify([labels, annotations]);

/** What tells what somebody else wrote from others. */
export const foreign = (live: Published | undefined): string =>
  JSON.stringify([
    DOCUMENT_KEYS.map((key) => live?.data[key] ?? null),
    live?.labels,
    live?.annotations[CONTENT_HASH],
  ]);

/**
 * What somebody else changed of what was published last, though the same shall be published still; empty if nobody did.
 * It need be no drift: another version of this program, or one with other settings, publishes whole toolsets too.
 * @param wanted what was wanted when it was published last, if that was done
 */
export function undone(
  { intent, drift }: Decision,
  live: Published | undefined,
  wanted: string | undefined,
  version: string,
): readonly string[] {
  if (live === undefined) return [];
  const decided = plan(intent, live, version);
  // What we want to change ourselves never waits for a quarrel to end.
  if (decided.action !== 'update' || wantedBy(decided) !== wanted) return [];
  return drift?.keys ?? decided.changes;
}
