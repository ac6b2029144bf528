/** A message of js-yaml without quoted text, which may be a secret: a password that starts with `*` is parsed as an alias. */
export const yamlReason = (reason: string): string => reason.replace(/( ?"| ?!<|(?<=[a-z]): ).*$/s, '');

/** Explains why a file cannot be read. It follows the file's name and a colon. */
export function unreadable(error: unknown): string {
  const { code, name, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'ENOTDIR') return 'it is not a folder';
  if (code === 'EACCES') return 'this user may not read it';
  if (name !== 'YAMLException') return message.split('\n')[0] ?? '';
  const { reason, mark } = error as { readonly reason?: string; readonly mark?: { readonly line: number } };
  const line = mark === undefined ? '' : ` in line ${mark.line + 1}`;
  return `it is not YAML: ${yamlReason(reason ?? '')}${line}`;
}
