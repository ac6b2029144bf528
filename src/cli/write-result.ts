import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { readText } from '../files/read-text.ts';
import { rewriteFile } from '../files/replace-file.ts';
import { unwritable } from '../files/unwritable.ts';
import { writeStream } from '../files/write-stream.ts';
import { ConfigError, FindingsError } from '../model/errors.ts';
import { unreadable } from '../model/unreadable.ts';
import { FILE } from '../model/yaml-document.ts';
import type { CliContext } from './cli-context.ts';

/** Standard output, which may itself be a file that others write to as well. */
const STDOUT = ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1'];

/** The text of the file to replace; empty if there is none. @throws FindingsError if it is not ours */
async function textBefore(
  path: string,
  found: Stats | undefined,
  notOurs: (text: string) => string | undefined,
  signal: AbortSignal,
): Promise<string> {
  if (!found?.isFile()) return '';
  const left = (why: string): FindingsError =>
    new FindingsError(
      `${path} already exists and is not what generate writes (${why}), so it is left alone; delete it, or choose another file with --out`,
    );
  const before = await readText(path, FILE.bytes, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw left(unreadable(error));
  });
  const fault = notOurs(before);
  if (fault !== undefined) throw left(fault);
  return before;
}

/**
 * Writes a result to a file, or to standard output without a path. A file is replaced at once; a FIFO or a device is written
 * to. Of a symbolic link the target is written, even if it does not exist yet.
 * @param notOurs why the text of an existing file is not ours, so that it must not be replaced; `undefined` if it is
 * @throws ConfigError if the file cannot be written; FindingsError if it is not ours; AbortError
 */
export async function writeResult(
  text: string,
  path: string | undefined,
  notOurs: (text: string) => string | undefined,
  { output, signal }: Pick<CliContext, 'output' | 'signal'>,
): Promise<void> {
  if (path === undefined || STDOUT.includes(path)) {
    output.result.write(text);
    return;
  }
  const found = await stat(path).catch(() => undefined);
  const isStream = found !== undefined && !found.isFile() && !found.isDirectory();
  const before = await textBefore(path, found, notOurs, signal);
  signal.throwIfAborted();
  try {
    await (isStream
      ? writeStream(path, text, { isFifo: found.isFIFO(), signal })
      : rewriteFile(path, text, before));
  } catch (error) {
    signal.throwIfAborted();
    throw new ConfigError(`cannot write ${path}: ${unwritable(error)}; name a writable file with --out`, {
      cause: error,
    });
  }
}
