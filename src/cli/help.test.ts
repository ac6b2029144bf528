import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { createProgram, EXIT_CODES } from './program.ts';

const helpOf = (name: string, command: string): string => {
  let text = '';
  const result = new PassThrough().on('data', (chunk) => {
    text += chunk;
  });
  const output = { result, messages: new PassThrough() };
  const run = {
    env: {},
    stdin: new PassThrough(),
    output,
    version: '',
    name,
    signal: new AbortController().signal,
  };
  const program = createProgram(run, () => {});
  (program.commands.find((each) => each.name() === command) ?? program).outputHelp();
  result.read();
  return text;
};

test('examples use the program name of the invocation', () => {
  expect(helpOf('dynamic-toolset', 'history')).toContain('\n  dynamic-toolset history --revision 3\n');
  const asPlugin = helpOf('kubectl toolset', 'history');
  expect(asPlugin).toContain('\n  kubectl toolset history --revision 3\n');
  expect(asPlugin).not.toMatch(/dynamic-toolset history/);
});

test('the help lists each exit code', () => {
  const [, codes = ''] = helpOf('dynamic-toolset', '').split('Exit codes:\n');
  expect(codes.match(/^ {2}\d+(, \d+)?/gm)?.map((code) => code.trim())).toEqual(
    EXIT_CODES.map(([code]) => code),
  );
});
