import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createFairSlots, QueueFullError } from './fair-slots.ts';

/** Work that is done when it is said so. */
function worker(slots: number) {
  const fair = createFairSlots(slots);
  const running: { readonly group: string; readonly end: () => void }[] = [];
  const order: string[] = [];
  const add = (group: string, many = 1): void => {
    for (let each = 0; each < many; each++)
      void fair.run(group, () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        order.push(group);
        running.push({ group, end: resolve });
        return promise;
      });
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const count = (group: string): number => running.filter((each) => each.group === group).length;
  /** Ends one that runs. */
  const end = async (group: string): Promise<void> => {
    const index = running.findIndex((each) => each.group === group);
    running.splice(index, 1)[0]?.end();
    await turn();
  };
  return { fair, add, turn, count, end, order, running };
}

describe('slots', () => {
  test('are shared evenly by concurrent groups, whatever their order and size', async () => {
    const { add, turn, count, fair } = worker(8);
    add('hostile', 300);
    add('a', 2);
    add('b', 50);
    await turn();
    expect([count('a'), count('b'), count('hostile')]).toEqual([2, 3, 3]);
    expect(fair.waiting).toBe(344);
  });

  test('that other groups do not need go to the one that can use them', async () => {
    const { add, turn, count } = worker(8);
    add('alone', 300);
    await turn();
    expect(count('alone')).toBe(8);
  });

  test('that become free go to the group with the fewest', async () => {
    const { add, turn, count, end } = worker(4);
    add('hostile', 300);
    await turn();
    add('late', 10);
    await turn();
    expect(count('late')).toBe(0);
    await end('hostile');
    await end('hostile');
    await end('hostile');
    expect([count('late'), count('hostile')]).toEqual([2, 2]);
  });

  test('of groups with equally many go in turn', async () => {
    const { add, turn, order, end } = worker(1);
    for (const group of ['a', 'b', 'c']) add(group, 3);
    await turn();
    for (let round = 0; round < 8; round++) await end(order.at(-1) ?? '');
    expect(order.join('')).toBe('abcabcabc');
  });

  test('go to the group with fewer before the one that was served longest ago', async () => {
    const { add, turn, order, end } = worker(4);
    add('few', 2);
    add('many', 2);
    add('other', 1);
    await turn();
    await end('few');
    await end('few');
    add('few', 2);
    await turn();
    await end('few');
    expect(order).toEqual(['few', 'many', 'other', 'few', 'many', 'few', 'few']);
    // `few` has one slot and was served last, `many` has two.
    add('few', 1);
    add('many', 1);
    await end('other');
    expect(order.at(-1)).toBe('few');
  });

  test('count for their group while it holds them', async () => {
    const { add, turn, order, end } = worker(3);
    add('b', 1);
    add('a', 2);
    await turn();
    await end('a');
    add('c', 1);
    await turn();
    // `a` and `b` have one each, and `b` was served longest ago.
    add('a', 1);
    add('b', 1);
    await end('c');
    expect(order).toEqual(['b', 'a', 'a', 'c', 'b']);
  });

  test('are granted once for all requests of one turn', async () => {
    const schedule = vi.spyOn(globalThis, 'setImmediate');
    onTestFinished(() => schedule.mockRestore());
    const { add } = worker(2);
    add('a', 100);
    expect(schedule).toHaveBeenCalledTimes(1);
  });

  test('of a group that returns are like those of any other', async () => {
    const { add, turn, order, end } = worker(1);
    add('a');
    await turn();
    await end('a');
    add('b', 2);
    await turn();
    add('a');
    await end('b');
    expect(order).toEqual(['a', 'b', 'a']);
  });

  test('never exceed the limit, and all work is done', async () => {
    const groups = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(groups, fc.integer({ min: 1, max: 5 }), async (names, slots) => {
        const { add, turn, running, end, order } = worker(slots);
        for (const name of names) add(name);
        await turn();
        while (running.length > 0) {
          expect(running.length).toBeLessThanOrEqual(slots);
          await end(running[0]?.group ?? '');
        }
        expect([...order].sort()).toEqual([...names].sort());
      }),
      { numRuns: 30 },
    );
  });

  test('are returned by work that fails', async () => {
    const fair = createFairSlots(1);
    await expect(fair.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await fair.run('a', () => Promise.resolve(1))).toBe(1);
  });
});

test('above the longest queue, the last call of the group with the most is rejected, and nothing of it is kept', async () => {
  const fair = createFairSlots(1, 3);
  const gate = Promise.withResolvers<void>();
  const outcomes: string[] = [];
  const call = (group: string): Promise<void> =>
    fair
      .run(group, () => gate.promise)
      .then(
        () => void outcomes.push(`${group} ran`),
        (error) => void outcomes.push(`${group} ${error instanceof QueueFullError ? 'rejected' : error}`),
      );
  const all = Array.from({ length: 6 }, () => call('greedy'));
  await new Promise(setImmediate);
  all.push(call('a'), call('b'), call('c'), call('d'));
  await new Promise(setImmediate);
  expect(fair.waiting).toBe(3);
  gate.resolve();
  await Promise.all(all);
  // One of the greedy group ran before the others came, and with one waiting call each, the first group has the most.
  expect(outcomes.filter((each) => each.endsWith('rejected'))).toHaveLength(6);
  expect(outcomes.filter((each) => each === 'greedy ran').length).toBeLessThanOrEqual(2);
  expect(fair.groups).toBe(0);
});
