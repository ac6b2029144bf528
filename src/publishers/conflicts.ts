import { retryOnConflict } from '../kubernetes/retry-on-conflict.ts';
import { PublishConflict } from './publisher.ts';

/**
 * Runs an attempt to publish, and runs it again when somebody else wrote in between. Each attempt must read the current
 * state and decide again.
 * @throws what the attempt throws; PublishConflict after the sixth conflict in a row
 */
export const retryConflicts = <T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> =>
  retryOnConflict(attempt, signal, { isConflict: (error) => error instanceof PublishConflict });
