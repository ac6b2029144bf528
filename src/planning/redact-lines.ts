import { isTemplate, namesSecret } from '../model/redact-names.ts';

/** Gives the mark that stands for a secret: the same for the same text. */
export type Mark = (secret: string) => string;

const KEY = /^((?:[ \t]|[-?{[,][ \t])*)(["']?)([\w./@-]{1,100})\2([ \t]*:(?:[ \t]+|$))(.*)$/;

/** A text of one or more lines, each of which becomes the mark; how far it is indented stays. */
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

/** A value with what stands around it: quotes and a comma. */
function hideValue(text: string, mark: Mark): string {
  const comma = text.endsWith(',') ? ',' : '';
  const bare = comma === '' ? text : text.slice(0, -1);
  const quote = /^(["']).*\1$/s.exec(bare)?.[1] ?? '';
  const value = quote === '' ? bare : bare.slice(1, -1);
  if (/^(true|false|null|~)?$/.test(value) || /^([|>][0-9+-]*|[{}[\]]+)$/.test(value)) return text;
  return isTemplate(value) ? text : `${quote}${mark(value)}${quote}${comma}`;
}

/** What is known of lines: as they are shown elsewhere, and which keys those have. */
export interface KnownLines {
  readonly shown: ReadonlyMap<string, string>;
  readonly keys: ReadonlySet<string>;
}

/**
 * Learns lines from texts that could be read.
 * @param pairs each text, and the same with its secrets hidden; both have the same number of lines
 */
export function knownLines(pairs: Iterable<readonly [text: string, shown: string]>): KnownLines {
  const shown = new Map<string, string>();
  const keys = new Set<string>();
  for (const [text, hidden] of pairs) {
    const after = hidden.split('\n');
    for (const [number, line] of text.split('\n').entries()) {
      const now = after[number] ?? '';
      // A line that is a secret in one place is one in all places.
      if (now !== line || !shown.has(line)) shown.set(line, now);
      const key = KEY.exec(now.trimEnd())?.[3];
      if (key !== undefined) keys.add(key);
    }
  }
  return { shown, keys };
}

/**
 * Hides all of a text that cannot be read as a document, but its layout, what is known, and what cannot be a secret.
 * Nothing is sure in such a text: a header may stand anywhere.
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
