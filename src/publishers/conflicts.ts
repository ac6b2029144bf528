import { setTimeout as sleep } from 'node:timers/promises';
import { PublishConflict } from './publisher.ts';

/** How often a publication is tried again at once when somebody else wrote in between, and the first pause before. */
const CONFLICTS = 5;
const FIRST_PAUSE = 10;

/**
 * Runs an attempt to publish, and runs it anew when somebody else wrote in between. Each attempt has to read what is
 * there and decide again.
 * @throws what the attempt throws; PublishConflict after the sixth conflict in a row
 */
export async function retryConflicts<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tried = 0; ; tried++)
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof PublishConflict) || tried === CONFLICTS) throw error;
      await sleep(FIRST_PAUSE * 2 ** tried * (0.5 + Math.random() / 2), undefined, { signal });
    }
}
