/** The lines of an error on one line, numbered if there are several: an error may contain `; ` itself. */
export function numberedLines(message: string): string {
  const lines = message.split('\n');
  if (lines.length === 1) return message;
  return `${lines.length} errors: ${lines.map((line, index) => `(${index + 1}) ${line}`).join(' ')}`;
}
