import { expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import * as z from 'zod';
import { syntaxFaults } from './yaml-faults.ts';
import { readYaml } from './yaml-text.ts';

/** The faults of a text, as `validate` shows them. */
function shown(text: string): string[] {
  const read = readYaml(text, z.unknown());
  return 'faults' in read
    ? read.faults.map(({ line, column, message }) => `${line}:${column}: ${message}`)
    : [];
}

test.each([
  [
    'a brace',
    'tools:\n  a.b: {endpoint: http://x, foo: 1\n',
    '2:8: this { is not closed; add a }, and indent',
  ],
  ['a brace before other keys', 'a:\n  b: {c: 1\n  d: {e: 1}\nf: 2\n', '2:6: this { is not closed; add a }'],
  ['a brace of the whole text', '{a: {b: 1}\n', '1:1: this { is not closed; add a }'],
  [
    'a brace that closes too far left',
    'a: {\nb: 1\n}\n',
    '1:4: this { is not closed; add a }, and indent the lines up to it with spaces',
  ],
  ['a bracket', 'a: 1\nb: [1, 2\n', '2:4: this [ is not closed; add a ]'],
  ['double quotes', 'a: 1\nb: "c\nd: 2\n', '2:4: this " is not closed; add a second one'],
  ['single quotes', "a: 1\nb: 'c\nd: 2\n", "2:4: this ' is not closed; add a second one"],
  ['a brace that was never open', 'a: {b: 1}}\n', '1:10: a } that closes no {'],
  ['a bracket that was never open', 'a: [1]]\n', '1:7: a ] that closes no ['],
  ['a tab', 'a:\n\tb: 1\n', '2:1: a tab as indentation; use spaces'],
  ['a key twice', 'a: 1\na: 2\n', '2:1: duplicate key; remove one'],
  ['a key too far left', 'a:\n  b: 1\n c: 2\n', '3:1: a key that is not indented like those above it'],
  ['a key too far right', 'a: 1\n  b: 2\n', '1:4: a text with a key indented below it; indent the key less'],
  ['an item too far left', 'a:\n  - b\n - c\n', '3:1: a list item that is not indented like those'],
  ['a colon in a text', 'key: value: more\n', '1:6: a second key on one line, or a ": " in a text'],
  ['no colon', 'a: 1\nfoo\n', '2:1: a key without ": " behind it'],
  ['no comma', 'a: {b: 1 c: 2}\n', '1:8: a comma before this is missing'],
  ['a comma too many', 'a: [1,, 2]\n', '1:7: a comma without anything before it'],
  ['a list on the line of its key', 'a: - b\n', '1:4: a list on the line of its key'],
  ['a text behind quotes', 'a: "b" c\n', '1:8: this cannot follow the text before it'],
  ['a text behind |', 'a: |x\n  b\n', '1:5: a text on the line of | or >'],
  ['a text that is not indented', 'a: |\n\tb\n', '2:1: a text below | or > that is not indented'],
  ['a comment without a space', 'a: "b"#c\n', '1:7: a comment (#) without a space before it'],
  ['a reserved sign', 'a: @b\n', '1:4: a text that begins with @, ` or %; put it into quotes'],
])('%s is explained in plain words, at its place', (_, text, expected) => {
  expect(shown(text)[0]).toContain(expected);
});

test('each sign that is not closed has its own place', () => {
  expect(shown('a: [{b: 1\n').map((line) => line.slice(0, 11))).toEqual(['1:4: this [']);
  expect(shown('a: [\n  {b: 1\n').map((line) => line.slice(0, 11))).toEqual(['1:4: this [', '2:3: this {']);
  expect(shown('a: [1\nb: [2\nc: "3\n').map((line) => line.slice(0, 11))).toEqual([
    '1:4: this [',
    '2:4: this [',
    '3:4: this "',
  ]);
});

test('of each line, only the first fault is reported, since others follow from it', () => {
  expect(shown('- a\nb: 1\n')).toEqual([
    '2:1: this cannot follow the text before it; check quotes and indentation',
  ]);
});

test('no message has jargon of the library, or text of the document', () => {
  const signs = [
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    ':',
    ': ',
    ',',
    '-',
    '- ',
    '#',
    ' #',
    '|',
    '>',
    '@',
    '&',
    '*',
    '!',
    '%',
    '?',
    '\t',
    '\n',
    '\n ',
    '\n  ',
    'secret',
  ];
  let seed = 7;
  const next = (): string => {
    seed = (seed * 48_271) % 2_147_483_647;
    return signs[seed % signs.length] ?? '';
  };
  const jargon = new Set<string>();
  for (let count = 0; count < 20_000; count++) {
    const text = Array.from({ length: 8 }, next).join('');
    const { errors } = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
    for (const { offset, message } of syntaxFaults(text, errors)) {
      expect(offset).toBeLessThanOrEqual(text.trimEnd().length);
      if (/[Ff]low|[Bb]lock|[Ii]mplicit|token|secret|scalar|Unexpected|sequence|collection/.test(message))
        jargon.add(message);
    }
  }
  expect([...jargon]).toEqual([]);
});

test('a text of any depth is explained', () => {
  const text = '['.repeat(100_000);
  const { errors } = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  expect(syntaxFaults(text, errors)).toMatchObject([
    { message: expect.stringMatching(/nested too deep|not closed/) },
  ]);
});
