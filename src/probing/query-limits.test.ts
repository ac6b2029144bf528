import { expect, test } from 'vitest';
import { createQueryLimits } from './query-limits.ts';

const X = { name: 'x', namespace: 'a', isElsewhere: false };

/** Several turns of the event loop. */
async function turn(): Promise<void> {
  for (let each = 0; each < 10; each++) await new Promise(setImmediate);
}

/** Queries that a test answers, and the largest number that ran at once. */
function setting() {
  const clock = { now: 0 };
  const limits = createQueryLimits(() => clock.now);
  const open: { readonly namespace: string; readonly answer: (addresses: number) => void }[] = [];
  const ask = (name: string, namespace: string, isElsewhere = false): Promise<readonly string[]> =>
    limits(
      { name, namespace, isElsewhere },
      () =>
        new Promise<readonly string[]>((resolve) =>
          open.push({ namespace, answer: (addresses) => resolve(Array(addresses).fill('10.0.0.1')) }),
        ),
    );
  return {
    clock,
    open,
    ask: (namespace: string, count: number, prefix = 'a', isElsewhere = false): void => {
      for (let index = 0; index < count; index++)
        void ask(`${prefix}${index}.${namespace}`, namespace, isElsewhere);
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

test('more names of a namespace are queried at once while their answers are small', async () => {
  const { ask, answer } = setting();
  ask('a', 60);
  expect([await answer(1), await answer(256), await answer(1), await answer(1)]).toEqual([2, 8, 8, 8]);
});

test('names with large answers, and new ones beside them, are queried one after the other, for ten minutes', async () => {
  const { ask, answer, clock, open } = setting();
  ask('a', 2, 'usual');
  ask('b', 1, 'usual');
  expect(await answer(1)).toBe(3);
  for (const namespace of ['a', 'b']) ask(namespace, 1, 'large');
  expect(await answer(3_000)).toBe(2);
  for (const namespace of ['a', 'b']) ask(namespace, 1, 'large');
  ask('a', 2, 'new');
  await turn();
  expect(open).toHaveLength(1);
  // Those that had small answers do not wait for them, nor do other namespaces.
  ask('a', 2, 'usual');
  ask('c', 1, 'new');
  await turn();
  expect(open).toHaveLength(4);
  expect([await answer(3_000), await answer(1), await answer(1), await answer(1)]).toEqual([4, 1, 1, 1]);
  clock.now = 10 * 60_000;
  ask('b', 2, 'new');
  expect(await answer(1)).toBe(2);
});

test('one large answer slows down what waits in its namespace', async () => {
  const { ask, answer } = setting();
  ask('a', 6);
  while ((await answer(1)) > 0);
  ask('a', 30, 'new');
  expect([await answer(1_000), await answer(1), await answer(1)]).toEqual([8, 1, 1]);
});

test('all together get 16 at once, and each its share', async () => {
  const { ask, answer, open } = setting();
  for (let namespace = 0; namespace < 10; namespace++) ask(`n${namespace}`, 20);
  await turn();
  expect(open).toHaveLength(16);
  expect(new Set(open.map(({ namespace }) => namespace)).size).toBe(10);
  expect(await answer(1)).toBe(16);
});

test('a query that fails changes nothing', async () => {
  const limits = createQueryLimits();
  const failing = Array.from({ length: 8 }, () => limits(X, () => Promise.reject(new Error('away'))));
  for (const each of failing) await expect(each).rejects.toThrow('away');
  expect(await limits(X, async () => ['10.0.0.1'])).toEqual(['10.0.0.1']);
});

test('namespaces with slow names, also such that fail, leave queries to others', async () => {
  const clock = { now: 0 };
  const limits = createQueryLimits(() => clock.now);
  const ends: (() => void)[] = [];
  const slow = (namespace: number, fails: boolean): void => {
    const query = () =>
      new Promise<string[]>((resolve, reject) =>
        ends.push(() => (fails ? reject(new Error('away')) : resolve(['10.0.0.1']))),
      );
    limits({ ...X, name: `x${Math.random()}`, namespace: `slow${namespace}` }, query).catch(() => {});
  };
  const started = async (): Promise<number> => {
    await turn();
    return ends.length;
  };
  for (let namespace = 0; namespace < 20; namespace++) slow(namespace, namespace % 2 === 0);
  expect(await started()).toBe(16);
  clock.now = 501;
  for (const end of ends.splice(0)) end();
  await turn();
  clock.now = 1_002;
  for (const end of ends.splice(0)) end();
  await turn();
  for (let each = 0; each < 40; each++) slow(each % 20, false);
  expect(await started()).toBe(12);
  expect(await limits({ ...X, namespace: 'fair' }, async () => ['10.0.0.2'])).toEqual(['10.0.0.2']);
  clock.now = 1_002 + 60_000;
  for (const end of ends.splice(0)) end();
});

test('names that lead elsewhere are queried eight at a time, beside the others', async () => {
  const { ask, open, answer } = setting();
  for (let namespace = 0; namespace < 10; namespace++) ask(`n${namespace}`, 10, 'x', true);
  await turn();
  const first = Array.from({ length: 8 }, (_, index) => `n${index}`);
  expect(open.map(({ namespace }) => namespace)).toEqual(first);
  ask('a', 2);
  await turn();
  expect(open.map(({ namespace }) => namespace)).toEqual([...first, 'a', 'a']);
  // What they answer does not count for others.
  expect(await answer(3_000)).toBe(10);
  expect(open.slice(0, 2).map(({ namespace }) => namespace)).toEqual(['n8', 'n9']);
});
