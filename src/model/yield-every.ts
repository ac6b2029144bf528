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
