import { expect, test } from 'vitest';
import { createQueryLimits } from './query-limits.ts';

/** Queries that a test answers, and the largest number that ran at once. */
function setting() {
  const limits = createQueryLimits();
  const open: { readonly namespace: string; readonly answer: (addresses: number) => void }[] = [];
  return {
    open,
    ask: (namespace: string, count: number): void => {
      for (let index = 0; index < count; index++)
        void limits(
          namespace,
          () =>
            new Promise<readonly string[]>((resolve) =>
              open.push({ namespace, answer: (addresses) => resolve(Array(addresses).fill('10.0.0.1')) }),
            ),
        );
    },
    /** Answers all open queries. @returns how many there were */
    answer: async (addresses: number): Promise<number> => {
      await new Promise((turn) => setTimeout(turn, 5));
      const all = open.splice(0);
      for (const each of all) each.answer(addresses);
      await new Promise((turn) => setTimeout(turn, 5));
      return all.length;
    },
  };
}

test('a namespace gets more queries at once while its answers are small, and one after a large one', async () => {
  const { ask, answer } = setting();
  ask('a', 100);
  expect([await answer(1), await answer(1), await answer(64), await answer(65)]).toEqual([4, 16, 16, 16]);
  expect([await answer(1_000), await answer(1), await answer(1), await answer(1)]).toEqual([1, 1, 2, 8]);
});

test('all together get 32 at once, and each its share', async () => {
  const { ask, answer, open } = setting();
  for (let namespace = 0; namespace < 20; namespace++) ask(`n${namespace}`, 20);
  await new Promise((turn) => setTimeout(turn, 5));
  expect(open).toHaveLength(32);
  expect(new Set(open.map(({ namespace }) => namespace)).size).toBe(20);
  expect(await answer(1)).toBe(32);
});

test('a query that fails changes nothing', async () => {
  const limits = createQueryLimits();
  const failing = Array.from({ length: 8 }, () => limits('a', () => Promise.reject(new Error('away'))));
  for (const each of failing) await expect(each).rejects.toThrow('away');
  expect(await limits('a', async () => ['10.0.0.1'])).toEqual(['10.0.0.1']);
});
