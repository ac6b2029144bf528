import fc from 'fast-check';
import { expect, test } from 'vitest';
import { beyondShare, fairLevel } from './fair-share.ts';

test('who wants less than the level keeps all; those above share what is left', () => {
  expect(fairLevel([1, 2, 10], 9)).toBe(6);
  expect(fairLevel([5, 5], 4)).toBe(2);
  expect(fairLevel([5, 5], 10)).toBe(Number.POSITIVE_INFINITY);
  expect(fairLevel([5], -1)).toBe(0);
});

test('only groups over the level lose items, their last ones, and the total is kept', () => {
  const item = fc.record({ group: fc.constantFrom('a', 'b', 'c'), size: fc.integer({ min: 1, max: 20 }) });
  fc.assert(
    fc.property(
      fc.array(item),
      fc.integer({ min: 0, max: 100 }),
      fc.integer({ min: 1, max: 60 }),
      (items, total, each) => {
        const sharing = {
          group: (it: (typeof items)[0]) => it.group,
          size: (it: (typeof items)[0]) => it.size,
        };
        const beyond = new Set(beyondShare(items, { ...sharing, total, each }));
        const kept = items.filter((it) => !beyond.has(it));
        const sum = (all: typeof items): number => all.reduce((so, it) => so + it.size, 0);
        expect(sum(kept)).toBeLessThanOrEqual(total);
        for (const group of ['a', 'b', 'c']) {
          const of = (all: typeof items) => all.filter((it) => it.group === group);
          expect(sum(of(kept))).toBeLessThanOrEqual(each);
          expect(of(items).slice(0, of(kept).length)).toEqual(of(kept));
          // A group within an equal share of all groups never loses.
          const groups = new Set(items.map((it) => it.group)).size;
          if (sum(of(items)) <= Math.min(each, total / groups)) expect(of(kept)).toEqual(of(items));
        }
        // What is kept is kept again.
        expect(beyondShare(kept, { ...sharing, total, each })).toEqual([]);
      },
    ),
  );
});
