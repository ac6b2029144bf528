import { expect, test } from 'vitest';
import { retryOnConflict } from './retry-on-conflict.ts';
import { ApiStatusError } from './status.ts';

const { signal } = new AbortController();
const conflict = () => new ApiStatusError(409, 'changed');

/** Fails with these errors, one after the other, and then succeeds. */
function failing(...errors: Error[]) {
  const seen: number[] = [];
  const attempt = async (conflicts: number): Promise<string> => {
    seen.push(conflicts);
    const error = errors.shift();
    if (error !== undefined) throw error;
    return 'done';
  };
  return { seen, attempt };
}

test('a conflict is retried, and each attempt knows its number', async () => {
  const { seen, attempt } = failing(conflict(), conflict());
  expect(await retryOnConflict(attempt, signal, { first: 1 })).toBe('done');
  expect(seen).toEqual([0, 1, 2]);
});

test('after the last attempt the conflict is thrown', async () => {
  const { seen, attempt } = failing(...Array.from({ length: 9 }, conflict));
  await expect(retryOnConflict(attempt, signal, { first: 1, attempts: 3 })).rejects.toThrow('changed');
  expect(seen).toEqual([0, 1, 2]);
});

test('other errors are thrown at once', async () => {
  const { seen, attempt } = failing(new Error('denied'));
  await expect(retryOnConflict(attempt, signal)).rejects.toThrow('denied');
  expect(seen).toEqual([0]);
});

test('the definition of a conflict is configurable', async () => {
  const { seen, attempt } = failing(new RangeError('again'), conflict());
  const isConflict = (error: unknown): boolean => error instanceof RangeError;
  await expect(retryOnConflict(attempt, signal, { isConflict, first: 1 })).rejects.toThrow('changed');
  expect(seen).toEqual([0, 1]);
});

test('there is no attempt after the signal is aborted', async () => {
  const stop = new AbortController();
  const { seen, attempt } = failing(conflict());
  const retried = retryOnConflict(attempt, stop.signal, { first: 60_000 });
  stop.abort();
  await expect(retried).rejects.toThrow();
  expect(seen).toEqual([0]);
});
