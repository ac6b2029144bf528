import type { Plan } from '../model/published.ts';
import type { Decision } from '../planning/decide.ts';
import type { Observed } from '../planning/observed.ts';
import { CONTENT_HASH, plan } from '../planning/plan.ts';

/**
 * Identifies the desired metadata: labels and annotations, which include the hash of the documents. The owner reference is
 * excluded, because it depends on a permission.
 */
export const metadataFingerprint = ({ labels, annotations }: Plan): string =>
  JSON.stringify([labels, annotations]);

/** A fingerprint of the published state, to recognise a repeated external change. */
export const liveFingerprint = (live: Observed | undefined): string =>
  JSON.stringify([
    live?.names.map((key) => live.data[key] ?? null),
    live?.names.filter((key) => live.binary?.includes(key)),
    live?.labels,
    live?.annotations[CONTENT_HASH],
  ]);

/**
 * The external changes since the last publication, if the desired state is still the same; empty if there are none. They
 * need not be drift: another version of this program, or one with other settings, publishes whole toolsets.
 * @param wanted the fingerprint of the desired state of the last publication, if there was one
 */
export function externalChanges(
  { intent, drift }: Decision,
  live: Observed | undefined,
  wanted: string | undefined,
  version: string,
): readonly string[] {
  const decided = plan(intent, live, version);
  // Our own changes are never rate-limited, and what was deleted is made again at once.
  if (decided.action !== 'update' || metadataFingerprint(decided) !== wanted) return [];
  return drift?.keys ?? decided.changes;
}
