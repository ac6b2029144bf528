import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FailureStreak } from './failure-streak.ts';

function streakAt(): { readonly streak: FailureStreak; readonly wait: (seconds: number) => void } {
  let time = 5_000;
  const wait = (seconds: number): void => {
    time += seconds * 1000;
  };
  return { streak: new FailureStreak(() => time), wait };
}

test('the first failure is logged, and the same one once a minute while it lasts', () => {
  const { streak, wait } = streakAt();
  const logged = Array.from({ length: 25 }, () => {
    const isLogged = streak.add('denied');
    wait(5);
    return isLogged;
  });
  expect(logged.flatMap((isLogged, index) => (isLogged ? [index * 5] : []))).toEqual([0, 60, 120]);
  expect(streak.end()).toBe(25);
});

test('another reason is logged at once, and so is the same one after a success', () => {
  const { streak, wait } = streakAt();
  expect(['denied', 'denied', 'timeout', 'timeout'].map((reason) => streak.add(reason))).toEqual([
    true,
    false,
    true,
    false,
  ]);
  expect(streak.end()).toBe(4);
  expect(streak.end()).toBe(0);
  wait(1);
  expect(streak.add('timeout')).toBe(true);
});

test('a success after failures that were not logged is not worth a line', () => {
  const { streak } = streakAt();
  const lengths = Array.from({ length: 5 }, () => {
    streak.add('denied');
    return streak.end();
  });
  expect(lengths).toEqual([1, 1, 1, 0, 0]);
});

test('however reasons change and successes come between, there are at most three lines and one more a minute', () => {
  const step = fc.record({ reason: fc.constantFrom('a', 'b', 'c', ''), seconds: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { streak, wait } = streakAt();
      let [lines, seconds] = [0, 0];
      for (const each of steps) {
        if (each.reason === '') streak.end();
        else lines += Number(streak.add(each.reason));
        wait(each.seconds);
        seconds += each.seconds;
      }
      expect(lines).toBeLessThanOrEqual(3 + seconds / 60);
    }),
  );
});
