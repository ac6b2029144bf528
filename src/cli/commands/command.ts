import { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';

/** What a command is added to, and what it runs with. */
export interface CommandContext {
  readonly program: Command;
  readonly run: CliContext;
  /** Takes the exit code of the command. */
  readonly setExitCode: (exitCode: number) => void;
}

/**
 * Describes a command: its flags, help and examples. Its work is imported when the command runs, so that no command
 * loads the code of another.
 */
export type AddCommand = (context: CommandContext) => void;

const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/** The invocation, without messages where `--quiet` is given. */
export const withQuiet = (run: CliContext, { quiet }: { readonly quiet?: boolean }): CliContext =>
  quiet === true ? { ...run, output: { ...run.output, messages: nowhere() } } : run;
