import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { columnsOf, hasColours } from './terminal.ts';

const pipe = new PassThrough();
const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 120 });

describe('colours', () => {
  test.each([
    [{}, true, false],
    [{ TERM: 'xterm' }, true, false],
    [{ TERM: 'dumb' }, false, false],
    [{ NO_COLOR: '1' }, false, false],
    [{ NO_COLOR: '' }, true, false],
    [{ FORCE_COLOR: '1' }, true, true],
    [{ FORCE_COLOR: '1', TERM: 'dumb' }, true, true],
    [{ FORCE_COLOR: '0' }, false, false],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, false, false],
  ])('%j: on a terminal %s, in a pipe %s', (env, onTerminal, inPipe) => {
    expect([hasColours(terminal, env), hasColours(pipe, env)]).toEqual([onTerminal, inPipe]);
  });
});

describe('columns', () => {
  test('are those of the terminal; a pipe has none', () => {
    expect([columnsOf(terminal, { COLUMNS: '40' }), columnsOf(pipe, { COLUMNS: '40' })]).toEqual([
      120,
      undefined,
    ]);
  });

  test.each([
    ['40', 40],
    ['', 80],
    ['0', 80],
    ['-3', 80],
    ['many', 80],
  ])('of a terminal of unknown width, with COLUMNS=%j, are %i', (text, columns) => {
    const silent = Object.assign(new PassThrough(), { isTTY: true });
    expect(columnsOf(silent, { COLUMNS: text })).toBe(columns);
  });
});
