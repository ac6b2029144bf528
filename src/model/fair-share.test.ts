import fc from 'fast-check';
import { expect, test } from 'vitest';
import { beyondShare } from './fair-share.ts';

test('only groups over an equal share lose items, their last ones, and the total is kept', () => {
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

test('of very many large groups, as many as fit keep something', () => {
  const items = Array.from({ length: 500 }, (_, n) => ({ group: `team-${n}`, size: 2_000 }));
  const beyond = beyondShare(items, {
    group: ({ group }) => group,
    size: ({ size }) => size,
    total: 900_000,
  });
  expect(beyond).toEqual(items.slice(450));
});

test('one group with many small items does not use up the share of others', () => {
  const many = Array.from({ length: 100 }, () => ({ group: 'many', size: 1 }));
  const few = [1, 2, 3].map((n) => ({ group: `few-${n}`, size: 10 }));
  const sharing = { group: (it: { group: string }) => it.group, size: (it: { size: number }) => it.size };
  const beyond = beyondShare([...many, ...few], { ...sharing, total: 40 });
  expect(beyond).toEqual(many.slice(10));
});
