import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { styleText } from 'node:util';
import { expect, test } from 'vitest';
import { writePainted } from './output.ts';
import { safeTerminal } from './safe-terminal.ts';

const SRC = join(import.meta.dirname, '..');

/** What steers a terminal, or hides what stands there. */
const HOSTILE = '\u001b[31m\u009b2J\u0007\u007f\r\u202e\u2066\u200b\u2028\u{e0041}\ud83d\u061c';
const SHOWN =
  '\\u{1b}[31m\\u{9b}2J\\u{7}\\u{7f}\\u{d}\\u{202e}\\u{2066}\\u{200b}\\u{2028}\\u{e0041}\\u{d83d}\\u{61c}';

function opened() {
  const stream = new PassThrough();
  return {
    terminal: safeTerminal(stream as unknown as NodeJS.WriteStream),
    written: () => String(stream.read() ?? ''),
  };
}

test('characters that control a terminal are escaped; tabs, newlines and emoji stay', () => {
  const { terminal, written } = opened();
  terminal.write(`a\t${HOSTILE}\n\u2764\ufe0f\n`);
  expect(written()).toBe(`a\t${SHOWN}\n\u2764\ufe0f\n`);
});

test('no more than four marks are stacked on a character', () => {
  const { terminal, written } = opened();
  const marks = (count: number): string => '\u0301'.repeat(count);
  terminal.write(`a${marks(6)} b${marks(4)}`);
  expect(written()).toBe(`a${marks(4)}\\u{301}\\u{301} b${marks(4)}`);
  terminal.write(marks(1_000_000));
  expect(written()).toHaveLength(4 + 999_996 * 7);
});

test('our own colours, and the progress line, pass', () => {
  const { terminal, written } = opened();
  const painted = styleText('red', 'x', { validateStream: false });
  writePainted(terminal, painted);
  writePainted(terminal, `\r${painted}\u001b[K`);
  expect(written()).toBe(`${painted}\r${painted}\u001b[K`);
  writePainted(terminal, 'a\rb\u001b[2Jc\u009b31m');
  expect(written()).toBe('a\\u{d}b\\u{1b}[2Jc\\u{9b}31m');
});

test('no other code writes to the terminal', async () => {
  const files = (await readdir(SRC, { recursive: true })).filter((name) => /(?<!\.test)\.ts$/.test(name));
  // Examples in comments print what a user's program has.
  for (const name of files.map((each) => each.replaceAll('\\', '/')).filter((each) => each !== 'cli/main.ts'))
    expect((await readFile(join(SRC, name), 'utf8')).replace(/^ *\/?\*.*$/gm, ''), name).not.toMatch(
      /process\.(stdout|stderr)|\bconsole\.|writeSync|process\.emitWarning/,
    );
  const main = await readFile(join(SRC, 'cli/main.ts'), 'utf8');
  const uses = main.match(/process\.(stdout|stderr)\b[^;\n]*/g) ?? [];
  for (const use of uses)
    expect(use).toMatch(
      /^process\.(stdout\), messages: safe|stderr\) }|stdout, process\.stderr\]|stdout\)|stderr\.write\($)/,
    );
});
