import { expect, test } from 'vitest';
import { isVersionOf, versionLine, versionOf, withoutVersion } from './version-line.ts';

const file = (content: string, revision = 1): string =>
  `# first line\n${versionLine(content, revision)}${content}`;

test('a file has its version, with edits or without', () => {
  const version = versionOf(file('a: 1\n'));
  expect(version).toMatch(/^1-[0-9a-f]{16}$/);
  expect(versionOf(file('a: 1\n', 2))).not.toBe(version);
  const isOf = (content: string) => isVersionOf(version ?? '', content);
  expect([isOf('a: 1\n'), isOf('a: 2\n')]).toEqual([true, false]);
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

test('a text of people has no version', () => {
  expect(withoutVersion(file('# mine\na: 1\n'))).toBe('# first line\n# mine\na: 1\n');
  expect(withoutVersion('# Version 2 of mine.\na: 1\n')).toBe('# Version 2 of mine.\na: 1\n');
});
