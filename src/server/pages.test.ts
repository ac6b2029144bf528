import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pageBody, pageOf } from './pages.ts';

const listOf = (all: readonly string[]) => ({
  all,
  keyOf: (item: string) => item,
  bodyOf: (item: string) => Buffer.from(JSON.stringify(item)),
  path: '/list',
});

test('the pages together are the list, and only a page after an existing key is known', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 })),
      fc.integer({ min: 1, max: 5 }),
      fc.string(),
      (keys, size, other) => {
        const all = [...keys].sort();
        const read: string[] = [];
        for (let query: Record<string, string> = {}; ; ) {
          const { bodies, next, known } = pageOf(listOf(all), query, size);
          read.push(...bodies.map((each) => JSON.parse(String(each))));
          expect(known).toBe(true);
          if (next === null) break;
          query = Object.fromEntries(new URL(next, 'http://x').searchParams);
        }
        expect(read).toEqual(all);
        expect(pageOf(listOf(all), { after: other }, size).known).toBe(all.includes(other));
      },
    ),
  );
});

test('a page ends before 512 KiB, and an item that is larger has a page of its own', () => {
  const large = ['a', 'b', 'c', 'd', 'e'].map((name) => name.repeat(200 * 1024));
  const list = listOf([...large.slice(0, 3), 'dd'.repeat(300 * 1024), ...large.slice(4)]);
  const counts: number[] = [];
  for (let query: Record<string, string> = {}; ; ) {
    const { bodies, next } = pageOf(list, query, 500);
    counts.push(bodies.length);
    if (next === null) break;
    query = Object.fromEntries(new URL(next, 'http://x').searchParams);
  }
  expect(counts).toEqual([2, 1, 1, 1]);
});

test.each([[[]], [['one']], [['one', 'two']]])('a response has the items %j and the other fields', (all) => {
  const page = pageOf(listOf(all), {}, 500);
  expect(JSON.parse(String(pageBody('list', page, { total: page.total })))).toEqual({
    list: all,
    total: all.length,
  });
});
