import { timeText } from '../model/time-text.ts';
import { type Cause, heldSince, massHold } from './removals.ts';

/** The removals that `serve` holds, as it published them. */
export interface HeldRemovals {
  /** The published annotation about held tools. */
  readonly note: string | undefined;
  /** How long `serve` holds a mass removal, in milliseconds; `undefined` if its settings are unknown. */
  readonly hold: number | undefined;
  /** Milliseconds since 1970. Absent in `serve`, which publishes anew when a hold is over. */
  readonly now?: number | undefined;
}

/** How long a held tool stays. `undefined` if that is over. */
function timeOf(since: number, { hold, now }: HeldRemovals, cause: Cause): string | undefined {
  if (hold === undefined) return `since ${timeText(since)}, for REMOVAL_HOLD of serve`;
  const until = since + massHold(cause, hold);
  if (now !== undefined && until <= now) return undefined;
  // The hold of a Service that exists ends earlier if it has no ready Pods.
  return `until ${timeText(until)}${cause === 'gone' ? '' : ' at the latest'}`;
}

/**
 * Until when a guard keeps a tool published, why, and how to release it, as a sentence. `undefined` if it is not held.
 * @param cause why it would be removed; only the tool of a Service that does not exist is `gone`
 */
export function whyHeld(tool: string, removals: HeldRemovals, cause: Cause): string | undefined {
  const since = heldSince(removals.note, tool);
  const time = since === undefined ? undefined : timeOf(since, removals, cause);
  return time === undefined
    ? undefined
    : `it stays ${time}, because most tools of its namespace, or of the cluster, would be removed at once; to remove them now, give the ConfigMap the annotation kubernaut.io/allow-removal=true`;
}
