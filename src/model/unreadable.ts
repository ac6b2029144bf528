/** A reason of js-yaml without what it quotes of the text, such as a password that begins with `*` and is read as an alias. */
export const yamlReason = (reason: string): string => reason.replace(/( ?"| ?!<|(?<=[a-z]): ).*$/s, '');

/** Why a file cannot be read, for a person; after the file's name and a colon. */
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
