/** Why a file cannot be read, for a person; after the file's name and a colon. */
export function unreadable(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'ENOTDIR') return 'it is not a folder';
  return code === 'EACCES' ? 'this user may not read it' : (message.split('\n')[0] ?? '');
}
