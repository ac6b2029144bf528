import { writeFile } from 'node:fs/promises';
import { ConfigError } from '../model/errors.ts';
import type { Output } from './cli-context.ts';

/** Writes a result to a file, or to standard output without a path. @throws UserError if the file cannot be written */
export async function writeResult(text: string, path: string | undefined, output: Output): Promise<void> {
  if (path === undefined) {
    output.result.write(text);
    return;
  }
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new ConfigError(
      `cannot write ${path}: ${(error as Error).message}; name a writable file with --out`,
      { cause: error },
    );
  }
}
