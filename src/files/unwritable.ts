import { dirname } from 'node:path';

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write to it or to its folder',
  EBUSY: 'it is mounted or in use, so it cannot be replaced',
  EDQUOT: "this user's quota is used up",
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links lead to each other',
  ENAMETOOLONG: 'its name is too long',
  ENOSPC: 'there is no space left on its disk',
  EPERM: 'this user may not write to it or to its folder',
  EROFS: 'its file system is read-only',
};

/**
 * Explains why a file cannot be written. It follows the file's name and a colon. The name of a temporary file, which is in
 * the error, says nothing to users.
 */
export function unwritable(error: unknown): string {
  const { code = '', path = '', message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `the folder ${dirname(path)} does not exist`;
  if (code === 'ENOTDIR') return `${dirname(path)} is not a folder`;
  // The system's own words come before the first comma, and the call with its paths after it.
  return WORDS[code] ?? (code === '' ? message : message.replace(/, .*/s, ''));
}
