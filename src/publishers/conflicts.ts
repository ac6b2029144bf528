import { retryOnConflict } from '../kubernetes/retry-on-conflict.ts';
import { PublishConflict } from './publisher.ts';

/**
 * Repeats an attempt to publish after a conflict. Each attempt must read the current state and plan again.
 * @throws what the attempt throws; PublishConflict after the sixth conflict in a row
 */
export const retryConflicts = <T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> =>
  retryOnConflict(attempt, signal, { isConflict: (error) => error instanceof PublishConflict });
