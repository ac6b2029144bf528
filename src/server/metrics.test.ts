import { expect, test } from 'vitest';
import { createReader } from './metrics.ts';

/** Metrics that take a while, and a clock. */
function setting() {
  const clock = { now: 0 };
  let count = 0;
  const read = createReader(
    {
      contentType: '',
      async metrics() {
        clock.now += 5;
        if (++count === 3) throw new Error('a bug');
        return `${count}`;
      },
    },
    () => clock.now,
  );
  return { clock, read: async () => (await read()).toString() };
}

test('the text is written again after nine times as long as that took', async () => {
  const { clock, read } = setting();
  expect(await Promise.all([read(), read()])).toEqual(['1', '1']);
  clock.now = 49;
  expect(await read()).toBe('1');
  clock.now = 50;
  expect(await read()).toBe('2');
});

test('a failure is not kept', async () => {
  const { clock, read } = setting();
  for (const time of [0, 50]) {
    clock.now = time;
    await read();
  }
  clock.now = 100;
  await expect(read()).rejects.toThrow('a bug');
  expect(await read()).toBe('4');
});
