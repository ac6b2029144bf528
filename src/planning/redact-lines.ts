import { isTemplate, namesSecret } from '../model/redact-names.ts';

/** Returns the mark that replaces a secret. Equal secrets have equal marks. */
export type Mark = (secret: string) => string;

const KEY = /^((?:[ \t]|[-?{[,][ \t])*)(["']?)([\w./@-]{1,100})\2([ \t]*:(?:[ \t]+(?![ \t])|$))(.*)$/;

/** Replaces each line of a text with the mark, and keeps the indentation. */
export function hideLines(text: string, mark: string): string {
  return text
    .split('\n')
    .map((line) => {
      const content = line.trim();
      if (content === '') return line;
      const indent = line.length - line.trimStart().length;
      return `${line.slice(0, indent)}${mark}${line.slice(line.trimEnd().length)}`;
    })
    .join('\n');
}

/** Replaces a value, and keeps quotes and a trailing comma. */
function hideValue(text: string, mark: Mark): string {
  const comma = text.endsWith(',') ? ',' : '';
  const bare = comma === '' ? text : text.slice(0, -1);
  const quote = /^(["']).*\1$/s.exec(bare)?.[1] ?? '';
  const value = quote === '' ? bare : bare.slice(1, -1);
  if (/^(true|false|null|~)?$/.test(value) || /^([|>][0-9+-]*|[{}[\]]+)$/.test(value)) return text;
  return isTemplate(value) ? text : `${quote}${mark(value)}${quote}${comma}`;
}

/** Lines of readable documents with their redacted forms, and the keys of those documents. */
export interface KnownLines {
  readonly shown: ReadonlyMap<string, string>;
  readonly keys: ReadonlySet<string>;
}

/**
 * Collects known lines from readable documents.
 * @param pairs each text with its redacted form, which has the same number of lines
 */
export function knownLines(pairs: Iterable<readonly [text: string, shown: string]>): KnownLines {
  const shown = new Map<string, string>();
  const keys = new Set<string>();
  for (const [text, hidden] of pairs) {
    const after = hidden.split('\n');
    for (const [number, line] of text.split('\n').entries()) {
      const now = after[number] ?? '';
      // A line that is secret in one place is secret everywhere.
      if (now !== line || !shown.has(line)) shown.set(line, now);
      const key = KEY.exec(now.trimEnd())?.[3];
      if (key !== undefined) keys.add(key);
    }
  }
  return { shown, keys };
}

/**
 * Redacts a text that is not a readable document. Only its layout, known lines and values that cannot be secret remain,
 * because nothing is certain in such a text.
 */
export function redactLines(text: string, known: KnownLines, mark: Mark): string {
  return text
    .split('\n')
    .map((full) => {
      const line = full.endsWith('\r') ? full.slice(0, -1) : full;
      const end = full.slice(line.length);
      const shown = known.shown.get(full) ?? known.shown.get(line);
      if (shown !== undefined) return known.shown.has(full) ? shown : `${shown}${end}`;
      if (/^[ \t{}[\],-]*$/.test(line)) return full;
      const match = KEY.exec(line.trimEnd());
      if (match === null) return hideLines(full, mark(line.trim()));
      const [, before = '', quote = '', key = '', colon = '', value = ''] = match;
      const plain = known.keys.has(key) || (/^[a-z_]+$/i.test(key) && namesSecret(key));
      return `${before}${quote}${plain ? key : mark(key)}${quote}${colon}${hideValue(value, mark)}${end}`;
    })
    .join('\n');
}
