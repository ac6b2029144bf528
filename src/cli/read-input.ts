import { readStream, readText } from '../files/read-text.ts';
import { ConfigError } from '../model/errors.ts';
import { unreadable } from '../model/unreadable.ts';
import { FILE } from '../model/yaml-document.ts';
import type { CliContext } from './cli-context.ts';

export interface ReadOptions {
  /** The file in messages. Default: its path. */
  readonly what?: string;
  /** What to do if it cannot be read, unless its content is the reason. */
  readonly fix: string;
  /** Whether the path names standard input. Default: for `-` and `/dev/stdin`. */
  readonly isStdin?: boolean;
}

/** Reads a file that the user names, up to 16 MiB. @throws ConfigError; AbortError */
export async function readInput(
  path: string,
  { what = path, fix, isStdin = path === '-' || path === '/dev/stdin' }: ReadOptions,
  { stdin, signal }: CliContext,
): Promise<string> {
  try {
    return isStdin ? await readStream(stdin, FILE.bytes, signal) : await readText(path, FILE.bytes, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new ConfigError(`cannot read ${what}: ${unreadable(error, fix)}`, { cause: error });
  }
}
