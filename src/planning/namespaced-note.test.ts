import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noteEntries, noteOf } from './namespaced-note.ts';

const word = fc.stringMatching(/^[a-z]{1,8}$/);
const entries = fc.uniqueArray(fc.record({ namespace: word, key: word, value: fc.array(fc.string()) }), {
  selector: ({ namespace, key }) => `${namespace}/${key}`,
});

test('what is written is read back, as far as there is room, and the rest is counted', () => {
  fc.assert(
    fc.property(entries, fc.nat({ max: 400 }), (all, most) => {
      const { text, omitted } = noteOf([{ entries: all, most }]);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(Math.max(0, most));
      const read = noteEntries(text);
      for (const each of read) expect(all).toContainEqual(each);
      for (const namespace of new Set(all.map((each) => each.namespace))) {
        const count = (some: readonly { readonly namespace: string }[]): number =>
          some.filter((each) => each.namespace === namespace).length;
        expect(count(read) + (omitted.get(namespace) ?? 0)).toBe(count(all));
      }
    }),
  );
});

test.each([undefined, '', 'x', 'null', '[]', '7', '{"a":null}', '{"a":[1]}'])('%s has no values', (text) => {
  expect(noteEntries(text)).toEqual([]);
});
