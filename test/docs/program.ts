/** The program inside of a test's process. */
import { Readable, Writable } from 'node:stream';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.ts';

interface Answer {
  readonly exitCode: number;
  readonly text: string;
}

class Text extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

function programWith(input: string, output: Text, ended: (exitCode: number) => void): Command {
  return createProgram(
    {
      env: {},
      stdin: Readable.from([input]),
      output: { result: output, messages: output },
      version: '0.0.0',
      signal: AbortSignal.timeout(60_000),
    },
    ended,
  );
}

/** Runs a command with a standard input. */
export async function answerTo(words: readonly string[], input: string): Promise<Answer> {
  const output = new Text();
  let exitCode = 0;
  await programWith(input, output, (code) => {
    exitCode = code;
  }).parseAsync(words, { from: 'user' });
  return { exitCode, text: output.text };
}

/** Reads a command line as the program does, and does nothing. @returns what is wrong with it */
export async function usageFault(words: readonly string[]): Promise<string | undefined> {
  const output = new Text();
  const program = programWith('', output, () => {});
  for (const command of program.commands) command.action(() => {});
  try {
    await program.parseAsync(words, { from: 'user' });
    return undefined;
  } catch (error) {
    const asked = error instanceof Error && 'exitCode' in error && error.exitCode === 0;
    return asked ? undefined : output.text.split('\n')[0] || String(error);
  }
}
