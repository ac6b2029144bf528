import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAst } from 'vitest/node';
import { hideSecrets } from './redact-text.ts';

const SOURCES = join(import.meta.dirname, '..');

/** The texts of a source file that are a sentence. What is filled in is called X. */
function* sentences(node: unknown): Generator<string> {
  if (Array.isArray(node)) for (const each of node) yield* sentences(each);
  if (typeof node !== 'object' || node === null || !('type' in node)) return;
  const { type, value, quasis } = node as { type: string; value?: unknown; quasis?: unknown[] };
  if (type === 'Literal' && typeof value === 'string') yield value;
  if (type === 'TemplateLiteral')
    yield (quasis as { value: { cooked: string } }[]).map((quasi) => quasi.value.cooked).join('X');
  for (const each of Object.values(node)) yield* sentences(each);
}

test('no message of ours is mistaken for a secret, which would hide its content', () => {
  const hidden: string[] = [];
  // A text of several lines is a program or a document.
  for (const path of globSync('**/*.ts', { cwd: SOURCES, exclude: ['**/*.test.ts'] }))
    for (const text of sentences(parseAst(readFileSync(join(SOURCES, path), 'utf8'), { lang: 'ts' })))
      if (/\w \w/.test(text) && !text.includes('\n') && hideSecrets(text) !== text)
        hidden.push(`${path}: ${hideSecrets(text)}`);
  expect(hidden).toEqual([]);
});
