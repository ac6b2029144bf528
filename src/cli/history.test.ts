import { expect, test } from 'vitest';
import { read } from '../../test/fixtures/unit/toolset.ts';
import type { Revision } from '../model/revision.ts';
import { changesOf } from './history.ts';

const revision = (tools: Readonly<Record<string, string>>, file = '', overrides = ''): Revision => ({
  name: 'r',
  number: 1,
  created: '2026-01-01T00:00:00Z',
  documents: {
    'toolset.json': JSON.stringify({
      tools: Object.entries(tools).map(([name, endpoint]) => ({ name, endpoint })),
    }),
    'custom_toolset.yaml': file,
  },
  overrides,
  rollback: undefined,
});
const many = (letter: string, count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${letter}${index}`, 'http://x:1']));

test.each<[string, Revision, Revision | undefined, string]>([
  ['the first one', revision({ a: 'u' }), undefined, ''],
  ['nothing', revision({ a: 'u' }), revision({ a: 'u' }), ''],
  ['one came and one went', revision({ a: 'u', b: 'u' }), revision({ a: 'u', c: 'u' }), '+b, -c'],
  ['one has another endpoint', revision({ a: 'v', b: 'u' }), revision({ a: 'u', b: 'u' }), '~a'],
  ['one came and one changed', revision({ a: 'v', b: 'u' }), revision({ a: 'u' }), '+b, ~a'],
  ['only what HolmesGPT reads', revision({ a: 'u' }, 'x'), revision({ a: 'u' }, 'y'), 'custom_toolset.yaml'],
  ['that and overrides', revision({}, 'x', 'o'), revision({}, 'y'), 'custom_toolset.yaml, overrides.yaml'],
  [
    'many were added, and removed ones are still shown',
    revision({ ...many('a', 9), x: 'v' }),
    revision({ ...many('b', 3), x: 'u' }),
    '+a0, +a1 and 7 more, -b0, -b1 and 1 more, ~x',
  ],
  ['four have room', revision(many('a', 4)), revision({}), '+a0, +a1, +a2, +a3'],
])('%s', (_, now, before, expected) => {
  expect(changesOf(read(now), before === undefined ? undefined : read(before))).toBe(expected);
});
