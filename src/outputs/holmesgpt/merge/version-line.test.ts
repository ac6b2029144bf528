import { expect, test } from 'vitest';
import { versionLine, versionOf } from './version-line.ts';

const file = (content: string): string => `# first line\n${versionLine(content)}${content}`;

test('a file has its version, with edits or without', () => {
  const version = versionOf(file('a: 1\n'));
  expect(version).toMatch(/^[0-9a-f]{16}$/);
  expect(versionOf(`${file('a: 1\n')}b: 3\n`)).toBe(version);
  expect(versionOf(file('a: 2\n'))).not.toBe(version);
});

test.each([
  '',
  'a: 1\n',
  '# first line\na: 1\n',
  '# first line\n# Version 12. Keep\n',
  `x: 1\n${file('a: 1\n')}`,
])('a file without its first two lines has no version: %j', (text) => {
  expect(versionOf(text)).toBeUndefined();
});
