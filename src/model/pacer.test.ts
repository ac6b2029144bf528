import { expect, test } from 'vitest';
import { createPacer } from './pacer.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('one piece of work runs per turn of the event loop', async () => {
  const pace = createPacer();
  let begun = 0;
  const all = Array.from({ length: 50 }, (_, n) => pace(`group ${n}`, () => begun++));
  let most = 0;
  for (let last = 0; begun < 50; last = begun) {
    await turn();
    most = Math.max(most, begun - last);
  }
  // The turns of the test and those of the pacer overlap.
  expect(most).toBeLessThanOrEqual(2);
  await Promise.all(all);
});

test('a group whose work is expensive pauses, and the others do not wait for it', async () => {
  let clock = 0;
  const pauses: { readonly length: number; readonly end: () => void }[] = [];
  const pace = createPacer({
    now: () => clock,
    pause: (length) => new Promise((end) => pauses.push({ length, end })),
  });
  const order: string[] = [];
  const hostile = Array.from({ length: 3 }, () =>
    pace('hostile', () => {
      clock += 50;
      order.push('expensive');
    }),
  );
  for (let n = 0; n < 20; n++) await pace('other', () => order.push('other'));
  expect(order.filter((each) => each === 'expensive')).toEqual(['expensive']);
  for (let n = 0; n < 3; n++) {
    await hostile[n];
    await turn();
    expect(pauses.map(({ length }) => length)).toEqual(Array.from({ length: n + 1 }, () => 200));
    pauses[n]?.end();
  }
  expect(order.filter((each) => each === 'expensive')).toHaveLength(3);
});

test('what the work resumes counts, too', async () => {
  let clock = 0;
  const pauses: number[] = [];
  const pace = createPacer({
    now: () => clock,
    pause: async (length) => void pauses.push(length),
    withResumed: true,
  });
  const resumed = new Promise<void>((begin) => void pace('hostile', begin)).then(async () => {
    await Promise.resolve();
    clock += 25;
    await Promise.resolve();
    clock += 25;
  });
  await resumed;
  await turn();
  await turn();
  expect(pauses).toEqual([200]);
});

test('cheap work of one group needs no pauses, and keeps its order', async () => {
  const pace = createPacer({
    now: () => 0,
    pause: () => Promise.reject(new Error('no pause is due')),
  });
  const order: number[] = [];
  await Promise.all(Array.from({ length: 100 }, (_, n) => pace('one', () => order.push(n))));
  expect(order).toEqual(Array.from({ length: 100 }, (_, n) => n));
});

test('work that throws rejects, and does not stop the group', async () => {
  const pace = createPacer();
  const broken = pace('one', () => {
    throw new Error('no');
  });
  await expect(broken).rejects.toThrow('no');
  let ran = false;
  await pace('one', () => {
    ran = true;
  });
  expect(ran).toBe(true);
});
