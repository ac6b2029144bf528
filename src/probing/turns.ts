/**
 * Lets so many begin in one turn of the event loop, and the others in the turns after it, in their order. Between two
 * turns everything else has its turn as well: many short pieces of work in place of one long one.
 * @returns resolves when one may begin
 */
export function turns(most: number): () => Promise<void> {
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
