/** A message of js-yaml without quoted text, which may be a secret: a password that starts with `*` is parsed as an alias. */
export const yamlReason = (reason: string): string => reason.replace(/( ?"| ?!<|(?<=[a-z]): ).*$/s, '');

/**
 * Explains why a file cannot be read, and what to do. It follows the file's name and a colon.
 * @param fix what to do unless the error itself says it, because only the file's content is wrong
 */
export function unreadable(error: unknown, fix?: string): string {
  const { fix: own = fix } = error as { readonly fix?: string };
  return own === undefined ? whyUnreadable(error) : `${whyUnreadable(error)}; ${own}`;
}

/** A line and column in a file, where the error has them. */
interface Placed {
  readonly place?: { readonly line: number; readonly column: number };
}

function whyUnreadable(error: unknown): string {
  const { code, name, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'ENOTDIR') return 'it is not a folder';
  if (code === 'EACCES') return 'this user may not read it';
  if (name !== 'YAMLException') {
    const { place } = error as Placed;
    const where = place === undefined ? '' : ` in line ${place.line}, column ${place.column}`;
    return `${message.split('\n')[0]}${where}`;
  }
  const { reason, mark } = error as { readonly reason?: string; readonly mark?: { readonly line: number } };
  const line = mark === undefined ? '' : ` in line ${mark.line + 1}`;
  return `it is not YAML: ${yamlReason(reason ?? '')}${line}`;
}
