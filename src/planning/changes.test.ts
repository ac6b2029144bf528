import { expect, test } from 'vitest';
import type { Documents } from '../model/documents.ts';
import { documentDiff } from './changes.ts';

const published = (yaml: string, json = '{"tools": []}\n') => ({
  data: { 'toolset.json': json, 'custom_toolset.yaml': yaml },
  labels: {},
  annotations: {},
});
const documents = (yaml: string, json = '{"tools": []}\n'): Documents => published(yaml, json).data;

const texts = (before: string, after: string): string[] =>
  documentDiff(published(before), documents(after), 'found', 'published').map(({ text }) => text);

test('a secret that changed shows as a change, and is not shown', () => {
  expect(texts('toolsets:\n  a: 1\n  token: hunter2\n', 'toolsets:\n  a: 1\n  token: hunter3\n')).toEqual([
    '--- found custom_toolset.yaml',
    '+++ published custom_toolset.yaml',
    '@@ -1,3 +1,3 @@',
    ' toolsets:',
    '   a: 1',
    '-  token: ***1',
    '+  token: ***2',
  ]);
});

test('documents that are alike are left out, and marks are the same in both', () => {
  const lines = documentDiff(
    published('toolsets: {a: {token: abcd}}\n', '{"tools": [{"endpoint": "http://abcd@h"}]}'),
    documents('toolsets: {}\n', '{"tools": []}'),
    'a',
    'b',
  ).map(({ text }) => text);
  expect(lines).toContain('-{"tools": [{"endpoint": "http://***1@h"}]}');
  expect(lines).toContain('-toolsets: {a: {token: ***1}}');
  expect(texts('a: 1\n', 'a: 1\n')).toEqual([]);
});

test('a secret that is only written in another way', () => {
  expect(texts('token: "abcd"\n', 'token: "\\u0061bcd"\n').at(-1)).toMatch(/written in another way/);
});

test('what would steer a terminal is written out', () => {
  const hostile = 'a: "\u001b[2J\u009b1m\u202e\u2028\u0007"\tb\r\n';
  const lines = texts(hostile, 'a: 1\n');
  for (const line of lines) expect(line).not.toMatch(/(?!\t)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(texts('a: 1 # \u001b[2J\u202e\u007f\n', 'a: 1\n')).toContain('-a: 1 # \\u{1b}[2J\\u{202e}\\u{7f}');
});

test('long lines are cut, and two long texts with nothing in common are told whole', () => {
  const longest = Math.max(...texts(`a: ${'x'.repeat(5_000)}\n`, 'a: 1\n').map(({ length }) => length));
  expect(longest).toBeLessThan(1_100);
  const rows = (name: string) => Array.from({ length: 20_000 }, (_, n) => `${name}${n}: 1\n`).join('');
  expect(texts(rows('a'), rows('b'))).toHaveLength(40_003);
}, 60_000);
