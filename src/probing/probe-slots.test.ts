import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createProbeSlots, SLOT_RELEASE_MS } from './probe-slots.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const pass = (milliseconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);

/** Probes that end when the test says so. */
function setup(concurrency: number) {
  const slots = createProbeSlots(concurrency);
  const started: string[] = [];
  const open = new Map<string, PromiseWithResolvers<string>>();
  const add = (name: string, wasSilent = false): Promise<string> =>
    slots.run('n', wasSilent, () => {
      started.push(name);
      const work = Promise.withResolvers<string>();
      open.set(name, work);
      return work.promise;
    });
  const many = (count: number, name: string, wasSilent = false): void => {
    for (let each = 0; each < count; each++) void add(`${name}${each}`, wasSilent);
  };
  return { slots, started, open, add, many };
}

test('a probe without a response passes its slot on, and continues', async () => {
  const { started, open, add, many } = setup(2);
  const dead = add('dead');
  many(1, 'other');
  const fresh = add('fresh');
  await pass(SLOT_RELEASE_MS - 5);
  expect(started).toEqual(['dead', 'other0']);
  await pass(10);
  expect(started).toEqual(['dead', 'other0', 'fresh']);
  open.get('fresh')?.resolve('fine');
  expect(await fresh).toBe('fine');
  open.get('dead')?.resolve('late');
  expect(await dead).toBe('late');
});

test('a probe that ends returns its slot at once, and its error is thrown', async () => {
  const { started, open, add } = setup(1);
  const first = add('first');
  void add('second');
  await pass(5);
  const caught = first.catch((error: unknown) => error);
  open.get('first')?.reject(new Error('oops'));
  expect(await caught).toEqual(new Error('oops'));
  await pass(5);
  expect(started).toEqual(['first', 'second']);
});

test('a probe that receives data keeps its slot until it pauses', async () => {
  const slots = createProbeSlots(1);
  let receives = true;
  void slots.run(
    'n',
    false,
    () => new Promise(() => {}),
    () => receives,
  );
  let isNextStarted = false;
  void slots.run('n', false, async () => {
    isNextStarted = true;
  });
  await pass(3 * SLOT_RELEASE_MS + 50);
  expect(isNextStarted).toBe(false);
  receives = false;
  await pass(SLOT_RELEASE_MS);
  expect(isNextStarted).toBe(true);
});

test('at most three times as many have passed their slot on', async () => {
  const { slots, started, open, many } = setup(2);
  many(20, 'dead');
  await pass(SLOT_RELEASE_MS * 3 + 50);
  expect(started).toHaveLength(8);
  expect(slots.areShort).toBe(true);
  await pass(60_000);
  expect(started).toHaveLength(8);
  for (const name of started.slice(0, 6)) open.get(name)?.resolve('over');
  await pass(5);
  expect(slots.areShort).toBe(false);
});

test('slots are short if silent backends wait, and only for these', async () => {
  const { slots, many } = setup(2);
  many(8, 'dead');
  await pass(60_000);
  expect(slots.areShort).toBe(false);
  many(1, 'silent', true);
  await pass(5);
  expect(slots.areShort).toBe(true);
});

test('a probe that ended does not count among those that passed their slot on', async () => {
  const { started, open, add, many } = setup(1);
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    void add(name);
    await pass(5);
    open.get(name)?.resolve('fine');
    await pass(5);
  }
  await pass(60_000);
  many(10, 'dead');
  await pass(SLOT_RELEASE_MS * 10);
  expect(started).toHaveLength(5 + 4);
});

test('slots are not short if nothing waits', async () => {
  const { slots, many } = setup(1);
  many(4, 'dead');
  await pass(60_000);
  expect(slots.areShort).toBe(false);
});

test.each([
  [4, 2],
  [1, 1],
])('of %i slots, silent backends use %i, and others start at once', async (all, half) => {
  const { started, many } = setup(all);
  many(50, 'silent', true);
  await pass(5);
  expect(started).toHaveLength(half);
  many(all - half, 'fresh');
  await pass(5);
  expect(started.slice(half)).toEqual(Array.from({ length: all - half }, (_, index) => `fresh${index}`));
});
