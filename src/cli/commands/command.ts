import { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Invocation } from '../invocation.ts';

/** What a command is added to, and what it runs with. */
export interface CommandContext {
  readonly program: Command;
  readonly run: Invocation;
  /** Takes the exit code of the command. */
  readonly ended: (exitCode: number) => void;
}

/**
 * Describes a command: its flags, help and examples. Its work is imported when the command runs, so that no command
 * loads the code of another.
 */
export type AddCommand = (context: CommandContext) => void;

const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/** The invocation, without messages where `--quiet` is given. */
export const withQuiet = (run: Invocation, { quiet }: { readonly quiet?: boolean }): Invocation =>
  quiet === true ? { ...run, output: { ...run.output, messages: nowhere() } } : run;
