import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NoteEntry, noteEntries, noteOf } from './namespaced-note.ts';

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

test.each([undefined, '', 'x', 'null', '[]', '7', '{"a":null}', '{"a":[1]}', '"text"', '{"a":"text"}'])(
  '%s has no values',
  (text) => {
    expect(noteEntries(text)).toEqual([]);
  },
);

test('the order of entries does not change the text', () => {
  const all = ['b/y', 'b/x', 'a/x'].map((text): NoteEntry<unknown> => {
    const [namespace = '', key = ''] = text.split('/');
    return { namespace, key, value: [] };
  });
  const written = noteOf([{ entries: all, most: 999 }]);
  expect(written.text).toBe('{"a":{"x":[]},"b":{"x":[],"y":[]}}');
  expect(noteOf([{ entries: all.toReversed(), most: 999 }])).toEqual(written);
  expect(noteOf([1, 2, 0].map((n) => ({ entries: all.slice(n, n + 1), most: 99 })))).toEqual(written);
});

test('an entry takes hardly more room than its text', () => {
  const entries = [{ namespace: 'a', key: 'b', value: ['c'] }];
  const { text } = noteOf([{ entries, most: 99 }]);
  expect(noteOf([{ entries, most: text.length + 2 }]).text).toBe(text);
  expect(noteOf([{ entries, most: text.length - 1 }])).toEqual({ text: '', omitted: new Map([['a', 1]]) });
});

describe('the room for first entries', () => {
  /** Takes exactly 100 bytes of the room. */
  const large = (namespace: string): NoteEntry<unknown> => ({ namespace, key: 'k', value: 'x'.repeat(82) });
  const namespaces = (count: number, name = 'ns'): string[] =>
    Array.from({ length: count }, (_, index) => `${name}${index + 1}`);
  /** Namespaces with less, which would come before the large ones. */
  const small = namespaces(99, 's').map((namespace) => ({ namespace, key: 'k', value: '' }));
  const places = (entries: readonly NoteEntry<unknown>[], most: number, forFirst?: number): string[] =>
    noteEntries(noteOf([{ entries, most, ...(forFirst === undefined ? {} : { forFirst }) }]).text).map(
      ({ namespace }) => namespace,
    );

  test('keeps them, however many namespaces share the rest', () => {
    const entries = [...namespaces(9).map(large), ...small];
    expect(places(entries, 840)).not.toContain('ns1');
    expect(places(entries, 840, 800)).toEqual([...namespaces(8), 's1', 's2']);
  });

  test('has an eighth for each namespace', () => {
    const entries = [large('ns1'), { ...large('ns1'), key: 'l' }, large('ns2'), ...small];
    const lost = (forFirst: number): (number | undefined)[] => {
      const { omitted } = noteOf([{ entries, most: 1_000, forFirst }]);
      return ['ns1', 'ns2'].map((namespace) => omitted.get(namespace));
    };
    expect(lost(800)).toEqual([1, undefined]);
    expect(lost(799)).toEqual([2, 1]);
  });
});
