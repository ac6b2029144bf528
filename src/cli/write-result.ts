import { stat, writeFile } from 'node:fs/promises';
import { readText } from '../files/read-text.ts';
import { ConfigError } from '../model/errors.ts';
import { unreadable } from '../model/unreadable.ts';
import { FILE } from '../model/yaml-document.ts';
import type { CliContext } from './cli-context.ts';

/**
 * Writes a result to a file, or to standard output without a path. The file may be a device or a FIFO. Of a symbolic link the
 * target is written, even if it does not exist yet.
 * @param notOurs why the text of an existing file is not ours, so that it must not be replaced; `undefined` if it is
 * @throws UserError if the file cannot be written, or is not ours
 */
export async function writeResult(
  text: string,
  path: string | undefined,
  notOurs: (text: string) => Promise<string | undefined>,
  { output, signal }: Pick<CliContext, 'output' | 'signal'>,
): Promise<void> {
  if (path === undefined) {
    output.result.write(text);
    return;
  }
  const found = await stat(path).catch(() => undefined);
  const fault = found?.isFile()
    ? await readText(path, FILE.bytes, signal).then(notOurs, (error) => unreadable(error))
    : undefined;
  signal.throwIfAborted();
  if (fault !== undefined)
    throw new ConfigError(
      `${path} is there and is not what generate writes (${fault}), so it is left alone; delete it, or name another file with --out`,
    );
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new ConfigError(
      `cannot write ${path}: ${(error as Error).message}; name a writable file with --out`,
      { cause: error },
    );
  }
}
