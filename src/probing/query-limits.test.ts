import { expect, test } from 'vitest';
import { createQueryLimits } from './query-limits.ts';

/** Queries that a test answers, and the largest number that ran at once. */
function setting() {
  const clock = { now: 0 };
  const limits = createQueryLimits(() => clock.now);
  const open: { readonly namespace: string; readonly answer: (addresses: number) => void }[] = [];
  const turn = () => new Promise((next) => setTimeout(next, 5));
  const ask = (name: string, namespace: string): Promise<readonly string[]> =>
    limits(
      name,
      namespace,
      () =>
        new Promise<readonly string[]>((resolve) =>
          open.push({ namespace, answer: (addresses) => resolve(Array(addresses).fill('10.0.0.1')) }),
        ),
    );
  return {
    clock,
    open,
    turn,
    ask: (namespace: string, count: number, prefix = 'a'): void => {
      for (let index = 0; index < count; index++) void ask(`${prefix}${index}.${namespace}`, namespace);
    },
    /** Answers all open queries. @returns how many there were */
    answer: async (addresses: number): Promise<number> => {
      await turn();
      const all = open.splice(0);
      for (const each of all) each.answer(addresses);
      await turn();
      return all.length;
    },
  };
}

test('more names are queried at once while their answers are small, and fewer of new ones', async () => {
  const { ask, answer } = setting();
  ask('a', 100);
  expect([await answer(1), await answer(256), await answer(1), await answer(257)]).toEqual([2, 4, 6, 6]);
  expect([await answer(1_000), await answer(1), await answer(1)]).toEqual([2, 2, 4]);
  while ((await answer(1)) > 0);
  ask('a', 80);
  const counts: number[] = [];
  for (let round = 0; round < 5; round++) counts.push(await answer(1));
  // One of each is a name with a large answer.
  expect(counts.slice(0, 4)).toEqual([3, 5, 9, 17]);
});

test('names with large answers are queried one after the other, of all namespaces, for ten minutes', async () => {
  const { ask, answer, clock, open, turn } = setting();
  for (const namespace of ['a', 'b']) ask(namespace, 1);
  expect(await answer(3_000)).toBe(2);
  for (const namespace of ['a', 'b']) ask(namespace, 1);
  await turn();
  expect(open).toHaveLength(1);
  // Others do not wait for them.
  ask('a', 2, 'other');
  await turn();
  expect(open).toHaveLength(3);
  expect([await answer(3_000), await answer(1)]).toEqual([3, 1]);
  clock.now = 10 * 60_000;
  for (const namespace of ['a', 'b']) ask(namespace, 1);
  expect(await answer(1)).toBe(2);
});

test('names that had small answers do not wait for new ones', async () => {
  const { ask, answer, open, turn } = setting();
  ask('fair', 30);
  while ((await answer(1)) > 0);
  ask('evil', 30);
  ask('fair', 30);
  await turn();
  expect(open.filter(({ namespace }) => namespace === 'fair')).toHaveLength(2);
  expect(open.filter(({ namespace }) => namespace === 'evil')).toHaveLength(6);
  while ((await answer(1)) > 0);
});

test('namespaces take turns', async () => {
  const { ask, answer, open, turn } = setting();
  ask('evil', 50);
  ask('fair', 1);
  await turn();
  expect(open.map(({ namespace }) => namespace).sort()).toEqual(['evil', 'fair']);
  expect(await answer(1)).toBe(2);
});

test('a query that fails changes nothing', async () => {
  const limits = createQueryLimits();
  const failing = Array.from({ length: 8 }, () => limits('x', 'a', () => Promise.reject(new Error('away'))));
  for (const each of failing) await expect(each).rejects.toThrow('away');
  expect(await limits('x', 'a', async () => ['10.0.0.1'])).toEqual(['10.0.0.1']);
});
