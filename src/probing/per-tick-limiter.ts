/**
 * Starts at most `most` tasks per turn of the event loop, in order, so that many tasks do not block it.
 * @returns a function that resolves when the next task may start
 */
export function perTickLimiter(most: number): () => Promise<void> {
  let begun = 0;
  const waiting: (() => void)[] = [];
  const next = (): void => {
    begun = 0;
    for (const begin of waiting.splice(0, most)) {
      begun++;
      begin();
    }
    if (begun > 0) setImmediate(next);
  };
  return async () => {
    if (begun === 0) setImmediate(next);
    if (begun >= most) return new Promise((resolve) => waiting.push(resolve));
    begun++;
  };
}
