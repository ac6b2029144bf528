import { expect, test } from 'vitest';
import { cliContext } from '../../test/fixtures/unit/cli.ts';
import { createProgram } from './program.ts';

test.each([
  [['rollback', '3'], 'unexpected argument 3: rollback takes no arguments; did you mean --to 3?'],
  [['history', '3'], 'unexpected argument 3: history takes no arguments; did you mean --revision 3?'],
  [
    ['discover', '-A', 'a b'],
    "unexpected argument 'a b': discover takes no arguments; did you mean --namespace 'a b'?",
  ],
  [
    ['serve', '--leader-elect', 'yes'],
    'unexpected argument yes: serve takes no arguments; flags such as --once and --leader-elect take no value',
  ],
  [['explain', 'a/b', 'c/d', 'e/f'], 'unexpected argument c/d: explain takes only 1 argument\n'],
])('of %j, the first excess argument is named, with what was meant', async (args, message) => {
  const { cli, written } = cliContext();
  const program = createProgram(cli, () => {});
  await expect(program.parseAsync(args, { from: 'user' })).rejects.toThrow(/unexpected argument/);
  expect(written.messages).toContain(`error: ${message}`);
  expect(written.messages).toContain('Run with --help for usage.');
});
