import { timeText } from '../../model/time-text.ts';
import type { PublicationState } from '../../planning/conditions/published.ts';
import { heldSince } from '../../planning/removals.ts';

/** What decides why a tool is still published that discovery would leave out now. */
export interface StayFacts {
  readonly publication: Pick<PublicationState, 'rollback' | 'overrideError'>;
  /** The published annotation about held tools. */
  readonly removalHeld: string | undefined;
  /** How long `serve` holds a mass removal, in milliseconds; `undefined` if its settings are unknown. */
  readonly hold: number | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** How long a held tool stays. Without ready Pods, it goes earlier. `undefined` if that is over. */
function heldUntil(since: number, { hold, now }: StayFacts, isServiceGone: boolean): string | undefined {
  if (hold === undefined) return `since ${timeText(since)}, for REMOVAL_HOLD of serve`;
  const until = since + hold;
  if (until <= now) return undefined;
  return `until ${timeText(until)}${isServiceGone ? '' : ' at the latest'}`;
}

/**
 * Until when a tool stays published that discovery would leave out now, and why, as the rest of a sentence.
 * @param isServiceGone whether its Service does not exist
 * @param successor the Service that leads to the same backend, and whose tool would be published now
 */
export function whyStill(tool: string, facts: StayFacts, isServiceGone: boolean, successor?: string): string {
  const { rollback, overrideError } = facts.publication;
  if (overrideError !== undefined)
    return 'overrides.yaml cannot be used, so what is published stays as it is until that is fixed';
  if (rollback !== undefined)
    return `the rollback to revision ${rollback} holds until the inputs change; to end it, run dynamic-toolset rollback --end`;
  if (successor !== undefined) return `with its next publication, serve publishes ${successor} in its place`;
  const since = heldSince(facts.removalHeld, tool);
  const time = since === undefined ? undefined : heldUntil(since, facts, isServiceGone);
  return time === undefined
    ? 'serve removes it with its next publication'
    : `it stays ${time}, because most tools of its namespace, or of the cluster, would be removed at once; to remove them now, give the ConfigMap the annotation kubernaut.io/allow-removal=true`;
}
