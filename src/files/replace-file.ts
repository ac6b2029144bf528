import { randomUUID } from 'node:crypto';
import { chmod, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Resolves a path. The target of a symbolic link need not exist yet. */
async function fileOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const named = await readlink(path).catch(() => undefined);
    return named === undefined ? path : await fileOf(resolve(dirname(path), named));
  }
}

/** The permissions of a file; `undefined` if it does not exist. */
async function modeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mode & 0o7777;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Replaces a file atomically: writes a temporary file beside it and renames that. The file keeps its permissions, and a
 * symbolic link stays a link, whose target is written.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const file = await fileOf(path);
  const mode = await modeOf(file);
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    // In a folder that others can write to, the name may not be a link of theirs.
    await writeFile(temporary, text, { flag: 'wx', ...(mode === undefined ? {} : { mode: 0o600 }) });
    // The umask restricts the mode of a new file.
    if (mode !== undefined) await chmod(temporary, mode);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
