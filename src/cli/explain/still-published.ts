import type { PublicationState } from '../../planning/conditions/published.ts';
import { whyHeld } from '../../planning/held-removals.ts';

/** What decides why a tool is still published that discovery would leave out now. */
export type StayFacts = Pick<PublicationState, 'rollback' | 'overrideError' | 'heldRemovals'>;

/**
 * Until when a tool stays published that discovery would leave out now, and why, as the rest of a sentence.
 * @param isServiceGone whether its Service does not exist
 * @param successor the Service that leads to the same backend, and whose tool would be published now
 */
export function whyStill(tool: string, facts: StayFacts, isServiceGone: boolean, successor?: string): string {
  const { rollback, overrideError, heldRemovals } = facts;
  if (overrideError !== undefined)
    return 'overrides.yaml cannot be used, so what is published stays as it is until that is fixed';
  if (rollback !== undefined)
    return `the rollback to revision ${rollback} holds until the inputs change; to end it, run dynamic-toolset rollback --end`;
  if (successor !== undefined) return `with its next publication, serve publishes ${successor} in its place`;
  const held = heldRemovals && whyHeld(tool, heldRemovals, isServiceGone ? 'gone' : 'unhealthy');
  return held ?? 'serve removes it with its next publication';
}
