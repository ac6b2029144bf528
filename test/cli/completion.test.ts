import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'completion-'));
  const program = join(folder, 'dynamic-toolset');
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${inject('program')}" "$@"\n`);
  chmodSync(program, 0o755);
  writeFileSync(join(folder, 'manifest.yaml'), '');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a real shell prints for a script. */
function run(shell: string, args: readonly string[]): string {
  const { stdout, error } = spawnSync(shell, args, {
    encoding: 'utf8',
    cwd: folder,
    env: { PATH: `${folder}${delimiter}${process.env.PATH}`, HOME: folder, TERM: 'xterm', COLUMNS: '200' },
  });
  if (error !== undefined) throw error;
  return stdout;
}

const installed = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0;

/** Asks a shell how a line goes on. */
type Ask = (line: string) => string[];

const askBash: Ask = (line) => {
  const words = line.split(/(=)| /).filter((word) => word !== undefined);
  const script = `source <(dynamic-toolset completion bash)
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
    _dynamic_toolset; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return run('bash', ['--norc', '-c', script, 'bash', ...words])
    .trim()
    .split('\n');
};

const askFish: Ask = (line) =>
  run('fish', [
    '--no-config',
    '-c',
    'dynamic-toolset completion fish | source; complete -C $argv[1]',
    '--',
    line,
  ])
    .trim()
    .split('\n')
    .map((candidate) => candidate.split('\t')[0] ?? '');

const SHELLS: readonly (readonly [name: string, ask: Ask])[] = [
  ['bash', askBash],
  ['fish', askFish],
];

describe.each(SHELLS)('%s', (name, ask) => {
  // Not every machine has each shell; where it is there, the real one is asked.
  const testThere = test.skipIf(!installed(name));

  testThere('completes commands', () => {
    expect(ask('dynamic-toolset di').sort()).toEqual(['diff', 'discover']);
    expect(ask('dynamic-toolset help roll')).toEqual(['rollback']);
  });

  testThere('completes the flags of the command, and none of others', () => {
    expect(ask('dynamic-toolset discover --probe').sort()).toEqual(['--probe', '--probe-concurrency']);
    expect(ask('dynamic-toolset history --probe')).toEqual(['']);
  });

  testThere('completes words that are values', () => {
    expect(ask('dynamic-toolset discover --output ').sort()).toEqual([
      'json',
      'name',
      'table',
      'wide',
      'yaml',
    ]);
    expect(ask('dynamic-toolset serve --log-level d')).toEqual(['debug']);
    expect(ask('dynamic-toolset discover -A --probe a')).toEqual(['apiserver-proxy']);
  });
});

test('bash: a value after = is completed alone, since bash treats it as a word', () => {
  expect(askBash('dynamic-toolset discover --probe=a')).toEqual(['apiserver-proxy']);
  expect(askBash('dynamic-toolset discover --probe=')).toEqual(['direct', 'apiserver-proxy', 'none']);
});

test.skipIf(!installed('fish'))(
  'fish: a value after = includes its flag; files are completed where a file is expected',
  () => {
    expect(askFish('dynamic-toolset discover --probe=a')).toEqual(['--probe=apiserver-proxy']);
    expect(askFish('dynamic-toolset discover -f man')).toEqual(['manifest.yaml']);
  },
);

/** What a line becomes in an interactive zsh when a person presses Tab at its end. */
function completedByZsh(line: string): string {
  const script = `zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell 'autoload -Uz compinit; compinit -u -D; source <(dynamic-toolset completion zsh); PS1='
    zpty -w shell 'show() { zle -I; print -r -- "<$BUFFER>"; }; zle -N show; bindkey "^X" show; print rea""dy'
    zpty -r shell seen '*ready*'
    zpty -n -w shell "$1"$'\\t\\x18'
    zpty -r shell seen '*<*>*'
    print -r -- "$seen"`;
  return /<(.*)>/.exec(run('zsh', ['-f', '-c', script, 'zsh', line]))?.[1] ?? '';
}

describe('zsh', () => {
  test.skipIf(!installed('zsh')).each([
    ['dynamic-toolset valid', 'dynamic-toolset validate '],
    ['dynamic-toolset discover --health', 'dynamic-toolset discover --health-check-timeout '],
    ['dynamic-toolset discover --probe api', 'dynamic-toolset discover --probe apiserver-proxy '],
    ['dynamic-toolset discover --probe=dir', 'dynamic-toolset discover --probe=direct '],
    ['dynamic-toolset discover -f mani', 'dynamic-toolset discover -f manifest.yaml '],
  ])('%s becomes %s', (line, completed) => {
    expect(completedByZsh(line)).toBe(completed);
  });
});

describe('requests of kubectl to its plugins', () => {
  const ask = (...words: string[]): string => run('dynamic-toolset', ['__complete', ...words]);

  test('are answered with candidates, and a directive at the end', () => {
    expect(ask('expl')).toBe('explain\tshow why a Service is, or is not, a backend\n:4\n');
    expect(ask('discover', '-o', 'j')).toBe('json\n:4\n');
  });

  test.each([
    [['discover', '-f', ''], ':0\n'],
    [['validate', 'a.yaml', ''], ':0\n'],
    [['discover', '--detectors', ''], ':16\n'],
    [['discover', '--connect-to', ''], ':4\n'],
    [['discover', '--version', '--', ''], ':4\n'],
    [['nothing-like-this', ''], ':4\n'],
    [[''.padEnd(10_000, '-')], ':4\n'],
  ])('%j is completed with %j', (words, answer) => {
    expect(ask(...words)).toBe(answer);
  });
});
