import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { styleText } from 'node:util';
import { describe, expect, test } from 'vitest';
import { writePainted } from './output.ts';
import { safeTerminal } from './safe-terminal.ts';

const SRC = join(import.meta.dirname, '..');
const MAIN = join(SRC, 'cli/main.ts');

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

test('a text is written with all that could steer the terminal spelt out; tabs, newlines and emoji stay', () => {
  const { terminal, written } = opened();
  terminal.write(`a\t${HOSTILE}\n\u2764\ufe0f\n`);
  expect(written()).toBe(`a\t${SHOWN}\n\u2764\ufe0f\n`);
});

test('our own colours, and the line of progress, go through', () => {
  const { terminal, written } = opened();
  const painted = styleText('red', 'x', { validateStream: false });
  writePainted(terminal, painted);
  writePainted(terminal, `\r${painted}\u001b[K`);
  expect(written()).toBe(`${painted}\r${painted}\u001b[K`);
  writePainted(terminal, 'a\rb\u001b[2Jc\u009b31m');
  expect(written()).toBe('a\\u{d}b\\u{1b}[2Jc\\u{9b}31m');
});

test('there is no other way out', async () => {
  const files = (await readdir(SRC, { recursive: true })).filter((name) => /(?<!\.test)\.ts$/.test(name));
  for (const name of files.map((each) => each.replaceAll('\\', '/')).filter((each) => each !== 'cli/main.ts'))
    expect(await readFile(join(SRC, name), 'utf8'), name).not.toMatch(
      /process\.(stdout|stderr)|\bconsole\.|writeSync|process\.emitWarning/,
    );
  const main = await readFile(MAIN, 'utf8');
  const uses = main.match(/process\.(stdout|stderr)\b[^;\n]*/g) ?? [];
  for (const use of uses)
    expect(use).toMatch(
      /^process\.(stdout\), messages: safe|stderr\) }|stdout, process\.stderr\]|stdout\)|stderr\.write\($)/,
    );
});

describe.each(['', '1'])('what files say, with FORCE_COLOR=%j', (FORCE_COLOR) => {
  const run = async (args: readonly string[], text: string) => {
    const file = join(await mkdtemp(join(tmpdir(), 'terminal-')), 'overrides.yaml');
    await writeFile(file, text);
    const { stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args, file], {
      encoding: 'utf8',
      env: { FORCE_COLOR },
    });
    const all = stdout + stderr;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours
    expect(all.replaceAll(/\u001b\[\d+m/g, '')).not.toMatch(/[^\P{Cc}\n\t]|\p{Cf}|\p{Zl}/u);
    return all;
  };

  test('in validate', async () => {
    expect(await run(['validate'], '"x\\e[31m": 1\n"\\u009b\\u202e": 2\n')).toMatch(/x\\u\{1b\}\[31m/);
    await run(['validate'], 'tools: { "\\e[31m": { enabled: "\\e[31m" }, [\u202e]: 1 }\n');
    await run(['validate', '--kind', 'holmesgpt'], 'toolsets: { "\\e[31m": { "\\u202e": 1 } }\n');
    await run(['validate', '--kind', 'overrides'], 'a: |\u009b31m\n');
  });

  test.each(['table', 'wide', 'json', 'yaml', 'name'])('in discover -o %s', async (format) => {
    const service = (name: string, extra: object) =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, ...extra },
        spec: { ports: [{ port: 9090 }] },
      });
    const owner = {
      annotations: { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-type': '\u009b31mx\u202e' },
    };
    const list = `${service('a\u009b31m\u202e', {})}\n---\n${service('p', owner)}\n---\n${service('q', { labels: { app: 'prometheus' } })}\n`;
    const said = await run(['discover', '--probe', 'none', '-o', format, '-f'], list);
    expect(said).toMatch(/\\u\{?009b|\\u\{9b\}|\\u009b/);
  });
});

test('health has its colour on a terminal', () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'p', labels: { app: 'prometheus' } },
    spec: { ports: [{ port: 9090 }] },
  };
  const { stdout } = spawnSync(process.execPath, [MAIN, 'discover', '--probe', 'none', '-f', '-'], {
    encoding: 'utf8',
    input: JSON.stringify(service),
    env: { FORCE_COLOR: '1' },
  });
  expect(stdout).toContain(styleText('yellow', 'unknown', { validateStream: false }));
});
