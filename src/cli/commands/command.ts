import { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';

/** What is needed to add a command. */
export interface CommandContext {
  readonly program: Command;
  readonly cli: CliContext;
  /** Receives the exit code of the command. */
  readonly setExitCode: (exitCode: number) => void;
}

/**
 * Adds a command with its flags, help and examples. The implementation is imported when the command runs, so no command
 * loads the code of another.
 */
export type AddCommand = (context: CommandContext) => void;

const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/** Drops messages if `--quiet` is set. */
export const withQuiet = (cli: CliContext, { quiet }: { readonly quiet?: boolean }): CliContext =>
  quiet === true ? { ...cli, output: { ...cli.output, messages: nowhere() } } : cli;
