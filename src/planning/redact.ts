import { type Document, isMap, isScalar, type ParsedNode, parseAllDocuments, type Scalar } from 'yaml';
import { secretsInText } from '../model/redact-text.ts';
import { hideLines, knownLines, type Mark, redactLines } from './redact-lines.ts';
import { type Found, secretNodes } from './redact-tree.ts';

/** Longest text that is read as a document, in characters: more than a ConfigMap takes. */
const LONGEST = 2 * 1024 * 1024;

type Roots = readonly (ParsedNode | null)[];

function parsed(text: string): Roots | undefined {
  const options = { uniqueKeys: false, prettyErrors: false, logLevel: 'silent' } as const;
  const documents: readonly Document.Parsed[] = [...parseAllDocuments(text, options)];
  if (documents.some(({ errors }) => errors.length > 0)) return undefined;
  const roots = documents.map(({ contents }) => contents);
  return roots.every((root) => root === null || isMap(root) || (isScalar(root) && root.value === null))
    ? roots
    : undefined;
}

/** The documents in a text, or nothing if it holds none that can be trusted. */
function documentsOf(text: string): Roots | undefined {
  return text.length > LONGEST ? undefined : parsed(text);
}

/** Where the content of a scalar stands, without quotes and the header of a block. */
function contentOf(text: string, { type, range }: Scalar.Parsed): readonly [number, number] {
  const [start, end] = range;
  if (type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE') return [start + 1, end - 1];
  if (type !== 'BLOCK_LITERAL' && type !== 'BLOCK_FOLDED') return [start, end];
  const header = text.indexOf('\n', start);
  return header < 0 ? [end, end] : [header + 1, end];
}

/** A text with what looks like a secret hidden, and the rest as it is. */
function redactText(text: string, mark: Mark): string {
  let result = '';
  let from = 0;
  for (const [start, end] of secretsInText(text)) {
    const secret = text.slice(start, end);
    result += text.slice(from, start) + hideLines(secret, mark(secret));
    from = end;
  }
  return result + text.slice(from);
}

/** The content of one scalar, all or part of it hidden where it must be. */
function redactScalar(content: string, scalar: Scalar.Parsed, whole: boolean, mark: Mark): string {
  const value = typeof scalar.value === 'string' ? scalar.value : content;
  if (whole) return hideLines(content, mark(value));
  if (value === content || scalar.type === 'BLOCK_LITERAL') return redactText(content, mark);
  // Escapes and folded lines: what is found in the value has no place of its own in the text.
  return secretsInText(value).length > 0 ? hideLines(content, mark(value)) : content;
}

function redactDocument(text: string, { scalars, secrets }: Found, mark: Mark): string {
  const parts: string[] = [];
  let from = 0;
  for (const scalar of scalars) {
    const [start, end] = contentOf(text, scalar);
    // Between scalars are signs, and comments.
    parts.push(redactText(text.slice(from, start), mark));
    parts.push(redactScalar(text.slice(start, end), scalar, secrets.has(scalar), mark));
    from = end;
  }
  parts.push(redactText(text.slice(from), mark));
  return parts.join('');
}

/**
 * Texts of documents (YAML or JSON) with each secret replaced by a mark, `***1` and so on. The same secret has the
 * same mark in all of them, and another one another, so a change of a secret shows. All else stays as it is; a text
 * that is no such document loses nearly all of its values. Takes time in proportion to the texts.
 */
export function redact(texts: readonly string[]): string[] {
  const marks = new Map<string, string>();
  const mark: Mark = (secret) => {
    const old = marks.get(secret);
    if (old !== undefined) return old;
    const next = `***${marks.size + 1}`;
    marks.set(secret, next);
    return next;
  };
  const readable = texts.map((text) => {
    const roots = documentsOf(text);
    return roots === undefined ? undefined : redactDocument(text, secretNodes(roots), mark);
  });
  const known = knownLines(
    texts.flatMap((text, number) => {
      const shown = readable[number];
      return shown === undefined ? [] : [[text, shown] as const];
    }),
  );
  return texts.map((text, number) => readable[number] ?? redactLines(text, known, mark));
}
