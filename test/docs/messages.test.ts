import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const program = globSync(['src/**/*.ts', 'deploy/kubectl/*', 'detectors/*.yaml'])
  .filter((file) => !file.endsWith('.test.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

/** Rows of tables of which the first cell is a message in code font, such as `no tool of its own: …`. */
const CELL = /^\| (`[a-z"…][^|]*`)[^|]* \|/gm;

/** Commands in the first cell of a table are no messages. */
const COMMAND = /^(diff|npm|kubectl|dynamic-toolset)\b/;

/** The fixed parts of a message: without placeholders and numbers, and in pieces, because parts of it may be joined. */
const piecesOf = (message: string): string[] =>
  message
    .split(/…|\d+|toolset\.json| within|[:,] /)
    .map((piece) => piece.trim())
    .filter((piece) => piece.length >= 8);

test.each(['docs/runbook.md', 'docs/faq.md'])('the messages that the tables of %s explain exist', (file) => {
  const cells = [...readFileSync(file, 'utf8').matchAll(CELL)].map(([, cell = '']) => cell);
  const messages = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text));
  const explained = messages.filter((text) => text.includes(' ') && !COMMAND.test(text));
  expect(explained.length).toBeGreaterThan(2);
  const missing = explained.filter((text) => piecesOf(text).some((piece) => !program.includes(piece)));
  expect(missing).toEqual([]);
});
