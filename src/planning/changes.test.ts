import { expect, test } from 'vitest';
import type { Documents } from '../model/documents.ts';
import { documentDiff, QUICK_EDITS, textDiff } from './changes.ts';

const published = (yaml: string, json = '{"tools": []}\n') => ({
  data: { 'toolset.json': json, 'custom_toolset.yaml': yaml },
  labels: {},
  annotations: {},
});
const documents = (yaml: string, json = '{"tools": []}\n'): Documents => published(yaml, json).data;

const texts = (before: string, after: string): string[] =>
  documentDiff(published(before), documents(after), 'found', 'published').map(({ text }) => text);

test('a changed secret is shown as changed, without its value', () => {
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

test('equal documents are left out, and marks are the same in both', () => {
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

test('a secret that only changed its notation', () => {
  expect(texts('token: "abcd"\n', 'token: "\\u0061bcd"\n').at(-1)).toMatch(/written in another way/);
});

test('characters that would control a terminal are escaped', () => {
  const hostile = 'a: "\u001b[2J\u009b1m\u202e\u2028\u0007"\tb\r\n';
  const lines = texts(hostile, 'a: 1\n');
  for (const line of lines) expect(line).not.toMatch(/(?!\t)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(texts('a: 1 # \u001b[2J\u202e\u007f\n', 'a: 1\n')).toContain('-a: 1 # \\u{1b}[2J\\u{202e}\\u{7f}');
});

/** So many lines that are called alike. */
const rows = (name: string, count: number): string =>
  Array.from({ length: count }, (_, n) => `${name}${n}: 1\n`).join('');

test('long lines are truncated, and two different long texts are shown whole', () => {
  const longest = Math.max(...texts(`a: ${'x'.repeat(5_000)}\n`, 'a: 1\n').map(({ length }) => length));
  expect(longest).toBeLessThan(1_100);
  const lines = (count: number, mostEdits?: number) =>
    documentDiff(published(rows('a', count)), documents(rows('b', count)), 'x', 'y', mostEdits);
  expect(lines(20_000, QUICK_EDITS)).toHaveLength(40_003);
  expect(lines(2_100)).toEqual(lines(2_100, QUICK_EDITS));
}, 60_000);

test('a line is truncated after 1,000 characters, with the number of the rest', () => {
  const shown = (length: number) =>
    texts(`a: "${'b '.repeat((length - 6) / 2)}"\n`, 'a: 1\n').find((line) => /^-[^-]/.test(line));
  // The sign of the line counts.
  expect(shown(1_000)).toBe(`-a: "${'b '.repeat(497)}"`);
  expect(shown(1_006)).toBe(`-a: "${'b '.repeat(497)}b… (6 more characters)`);
});

test('three lines surround a difference', () => {
  const rows = (middle: string) => `${['a', 'b', 'c', 'd', middle, 'f', 'g', 'h', 'i'].join(': 1\n')}: 1\n`;
  expect(textDiff('overrides.yaml', rows('e'), rows('E'))).toEqual([
    { kind: 'header', text: '--- overrides.yaml' },
    { kind: 'header', text: '+++ overrides.yaml' },
    { kind: 'header', text: '@@ -2,7 +2,7 @@' },
    { kind: 'context', text: ' b: 1' },
    { kind: 'context', text: ' c: 1' },
    { kind: 'context', text: ' d: 1' },
    { kind: 'removed', text: '-e: 1' },
    { kind: 'added', text: '+E: 1' },
    { kind: 'context', text: ' f: 1' },
    { kind: 'context', text: ' g: 1' },
    { kind: 'context', text: ' h: 1' },
  ]);
});

test('documents with too little in common are shown as removed and added, without context', () => {
  const lines = (mostEdits: number) =>
    documentDiff(published(`x: 1\n${rows('a', 2)}`), documents(`x: 1\n${rows('b', 2)}`), 'x', 'y', mostEdits);
  expect(lines(3)).toEqual([
    { kind: 'header', text: '--- x custom_toolset.yaml' },
    { kind: 'header', text: '+++ y custom_toolset.yaml' },
    { kind: 'header', text: '@@ nearly all of it @@' },
    { kind: 'removed', text: '-x: 1' },
    { kind: 'removed', text: '-a0: 1' },
    { kind: 'removed', text: '-a1: 1' },
    { kind: 'added', text: '+x: 1' },
    { kind: 'added', text: '+b0: 1' },
    { kind: 'added', text: '+b1: 1' },
  ]);
  expect(lines(4)).toContainEqual({ kind: 'context', text: ' x: 1' });
});

test('a document that is not published yet is shown as added, beside published ones that differ', () => {
  const { 'toolset.json': _, ...data } = published('a: 1\n').data;
  const live = { ...published(''), data };
  const lines = (json: string) =>
    documentDiff(live, documents('a: 1\n', json), 'x', 'y').map(({ text }) => text);
  expect(lines('{}\n')).toEqual(['--- x toolset.json', '+++ y toolset.json', '@@ -0,0 +1,1 @@', '+{}']);
  expect(lines('')).toEqual([]);
});

test('a document that becomes empty has no first line, as in the diffs of other programs', () => {
  expect(textDiff('overrides.yaml', 'a: 1\nb: 1\n', '').map(({ text }) => text)).toEqual([
    '--- overrides.yaml',
    '+++ overrides.yaml',
    '@@ -1,2 +0,0 @@',
    '-a: 1',
    '-b: 1',
  ]);
});

test('if nothing is published yet, everything is added, each document under its own name', () => {
  const lines = documentDiff(undefined, documents('a: 1\n', '{}\n'), 'x', 'y').map(({ text }) => text);
  expect(lines).toEqual([
    '--- x toolset.json',
    '+++ y toolset.json',
    '@@ -0,0 +1,1 @@',
    '+{}',
    '--- x custom_toolset.yaml',
    '+++ y custom_toolset.yaml',
    '@@ -0,0 +1,1 @@',
    '+a: 1',
  ]);
});
