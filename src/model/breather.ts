/**
 * Lets the event loop turn during long work: call it after each step, and wait for what it returns.
 * @param slice milliseconds of work after which the loop turns once
 * @param now milliseconds of a clock that never goes back
 * @param turn resolves when the loop has turned
 */
export function breather(
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
