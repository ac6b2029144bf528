import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, type Stats, statSync } from 'node:fs';
import { type FileHandle, open, readlink, realpath, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { unwritable } from './unwritable.ts';

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';
const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT';

/** The file no longer has the text that was read before the edit. */
export class FileChangedError extends Error {
  constructor() {
    super('it changed while it was edited');
  }
}

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

/** The state of a file; `undefined` if it does not exist. */
async function stateOf(file: string): Promise<Stats | undefined> {
  try {
    return await stat(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Checks that a file still has a text; a missing file counts as empty. It is synchronous, so that nothing else in this
 * process runs before the write that follows.
 * @throws FileChangedError
 */
function checkUnchanged(file: string, before: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  // Invalid UTF-8 is decoded to more bytes, so a longer file has another text, and need not be read.
  const isSame =
    found === undefined
      ? before === ''
      : found.size <= Buffer.byteLength(before) && readFileSync(file, 'utf8') === before;
  if (!isSame) throw new FileChangedError();
}

/** Gives a file the owner, group and permissions of another one, as far as this process may. */
async function copyAccess(to: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  // A change of the owner clears some bits of the mode, so it comes first.
  await to.chown(uid, gid).catch(() => to.chown(-1, gid).catch(() => {}));
  await to.chmod(mode & 0o7777);
}

/** Replaces a file. Its errors are those of the system. */
async function replace(path: string, text: string, before: string): Promise<void> {
  const file = await fileOf(path);
  const found = await stateOf(file);
  if (found !== undefined && !found.isFile() && !found.isDirectory())
    throw new Error('it is a FIFO or a device');
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    // In a folder that others can write to, the name may not be a link of theirs. The umask restricts the mode of a new file.
    const handle = await open(temporary, 'wx', found === undefined ? 0o666 : 0o600);
    try {
      await handle.writeFile(text);
      if (found !== undefined) await copyAccess(handle, found);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (found?.isDirectory() !== true) checkUnchanged(file, before);
    renameSync(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** An error with a message for users. */
const inWords = (error: unknown): unknown =>
  codeOf(error) === '' ? error : new Error(unwritable(error), { cause: error });

/**
 * Replaces a file atomically: writes a temporary file beside it and renames that, so a full disk or a crash loses nothing.
 * The file keeps its permissions and, if this process may set them, its owner and group. A symbolic link stays a link, whose
 * target is written.
 * @param before the text of the file when it was read; empty if it did not exist
 * @throws FileChangedError if it has another text now; Error in words that follow the file's name and a colon
 */
export async function replaceFile(path: string, text: string, before: string): Promise<void> {
  try {
    await replace(path, text, before);
  } catch (error) {
    throw inWords(error);
  }
}

/** Writes over the content of a file, and shortens the file only after that. */
async function overwrite(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; )
    at += (await handle.write(bytes, at, bytes.length - at, at)).bytesWritten;
  await handle.truncate(bytes.length);
  await handle.sync();
}

/** Writes a file in place. After an error, such as a full disk, it has its previous content again. */
async function writeInPlace(path: string, text: string, before: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    const content = await handle.readFile();
    if (content.toString() !== before) throw new FileChangedError();
    await overwrite(handle, Buffer.from(text)).catch(async (error: unknown) => {
      await overwrite(handle, content);
      throw error;
    });
  } finally {
    await handle.close();
  }
}

/** Errors of a rename where the file itself may be writable: the folder is not, or the file is a mount. */
const IN_PLACE = ['EACCES', 'EBUSY', 'EPERM', 'EROFS'];

/** Replaces a file like `replaceFile`, or writes it in place where it cannot be replaced. */
export async function rewriteFile(path: string, text: string, before: string): Promise<void> {
  try {
    await replace(path, text, before);
  } catch (error) {
    if (!IN_PLACE.includes(codeOf(error))) throw inWords(error);
    await writeInPlace(path, text, before).catch((second: unknown) => {
      // A new file: the error of the folder says more.
      throw inWords(isMissing(second) ? error : second);
    });
  }
}
