/** Formats a text as code in Markdown, also in a table cell. */
export const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

/** Formats several texts as code. A dash stands for none. */
export const codes = (texts: readonly (string | number)[]): string =>
  texts.length === 0 ? '–' : texts.map((text) => code(String(text))).join(', ');

/** A table. */
export const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
