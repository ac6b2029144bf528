import { expect, test } from 'vitest';
import { bodySnippet } from './fetch.ts';

test('the start of a body is one line', () => {
  expect(bodySnippet('{\n  "status": "ok"\n}', 60)).toBe('{ "status": "ok" }');
  expect(bodySnippet('', 60)).toBe('');
});

test('it has no secret, even if a long one is truncated', () => {
  const token = `ghp_${'A1b2'.repeat(300)}`;
  expect(bodySnippet(`{"token": "${token}"}`, 60)).not.toMatch(/A1b2/);
  for (const before of [0, 490, 500, 505, 508, 511])
    expect(bodySnippet(`password: ${'x'.repeat(before)}\n${token}`, 600)).not.toMatch(/ghp_|A1b2|x/);
});

test('a long body is truncated between words, and empty if it has none', () => {
  const long = 'word '.repeat(1000);
  expect(bodySnippet(long, 12)).toMatch(/^word word/);
  expect(bodySnippet('a'.repeat(5000), 60)).toBe('');
});
