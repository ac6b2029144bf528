import { expect, test } from 'vitest';
import { statusMessage } from './status-message.ts';

test.each<[string, string, string]>([
  [
    'a whole document is removed, and the reason stays',
    'ControllerRevision.apps "x" is invalid: data: Invalid value: {"overrides.yaml":"key: \\"} S3CR3T"}: field is immutable',
    'ControllerRevision.apps "x" is invalid: data: Invalid value: …: field is immutable',
  ],
  [
    'each of several, and lists too',
    '[a: Invalid value: [1,"]"]: no, b: Invalid value: {"c":{}}: neither]',
    '[a: Invalid value: …: no, b: Invalid value: …: neither]',
  ],
  [
    'a name stays',
    'metadata.name: Invalid value: "Foo_": a lowercase RFC 1123 label',
    'metadata.name: Invalid value: "Foo_": a lowercase RFC 1123 label',
  ],
  [
    'a number stays',
    'revision: Invalid value: -1: must be positive',
    'revision: Invalid value: -1: must be positive',
  ],
  ['a long text is removed', `a: Invalid value: "${'s'.repeat(80)}": no`, 'a: Invalid value: …: no'],
  ['a truncated value is removed to its end', 'data: Invalid value: {"a":"S3CR3T', 'data: Invalid value: …'],
  ['a value at the end', 'data: Invalid value: {}', 'data: Invalid value: …'],
  ['nothing after the mark', 'data: Invalid value: ', 'data: Invalid value: '],
])('%s', (_, message, shown) => {
  expect(statusMessage(message)).toBe(shown);
});

test('a long text is truncated', () => {
  expect(statusMessage('x'.repeat(300))).toHaveLength(300);
  expect(statusMessage('x'.repeat(301))).toBe(`${'x'.repeat(299)}…`);
});
