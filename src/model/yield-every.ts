/**
 * Yields to the event loop during long work: call it after each step, and await the result.
 * @param slice milliseconds of work after which it yields
 * @param now a monotonic clock, in milliseconds
 * @param turn resolves in the next turn of the event loop
 */
export function yieldEvery(
  slice: number,
  now: () => number = () => performance.now(),
  turn: () => Promise<void> = () => new Promise((resolve) => setImmediate(resolve)),
): () => Promise<void> | undefined {
  let began = now();
  return () => {
    if (now() - began < slice) return undefined;
    return turn().then(() => {
      began = now();
    });
  };
}

/** Long work that can be interrupted after each step. */
export type Steps<Result> = Generator<void, Result, undefined>;

/** Does all steps at once. */
export function runAtOnce<Result>(steps: Steps<Result>): Result {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** Does the steps one by one. @param pause awaited after each step, for example from `yieldEvery` */
export async function runInSteps<Result>(
  steps: Steps<Result>,
  pause: () => Promise<void> | undefined,
): Promise<Result> {
  let step = steps.next();
  while (step.done !== true) {
    const paused = pause();
    if (paused !== undefined) await paused;
    step = steps.next();
  }
  return step.value;
}
