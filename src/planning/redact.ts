import { type Document, isMap, isScalar, type ParsedNode, parseAllDocuments, type Scalar } from 'yaml';
import { secretsInText } from '../model/redact-text.ts';
import { hideLines, knownLines, type Mark, redactLines } from './redact-lines.ts';
import { type RedactionTargets, secretNodes } from './redact-tree.ts';

/** Maximum length of a document to parse, in characters: more than a ConfigMap can have. */
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

/** Parses the documents in a text. `undefined` if it is not a valid document. */
function documentsOf(text: string): Roots | undefined {
  return text.length > LONGEST ? undefined : parsed(text);
}

/** The range of a scalar's content, without quotes and block header. */
function contentOf(text: string, { type, range }: Scalar.Parsed): readonly [number, number] {
  const [start, end] = range;
  if (type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE') return [start + 1, end - 1];
  if (type !== 'BLOCK_LITERAL' && type !== 'BLOCK_FOLDED') return [start, end];
  const header = text.indexOf('\n', start);
  return header < 0 ? [end, end] : [header + 1, end];
}

/** Redacts texts that look like secrets. */
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

/** Redacts the content of one scalar, completely or partly. */
function redactScalar(content: string, scalar: Scalar.Parsed, whole: boolean, mark: Mark): string {
  const value = typeof scalar.value === 'string' ? scalar.value : content;
  if (whole) return hideLines(content, mark(value));
  if (value === content || scalar.type === 'BLOCK_LITERAL') return redactText(content, mark);
  // With escapes or folded lines, positions in the value do not match those in the text, so hide all of it.
  return secretsInText(value).length > 0 ? hideLines(content, mark(value)) : content;
}

function redactDocument(text: string, { scalars, secrets }: RedactionTargets, mark: Mark): string {
  const parts: string[] = [];
  let from = 0;
  for (const scalar of scalars) {
    const [start, end] = contentOf(text, scalar);
    // The text between scalars has signs and comments.
    parts.push(redactText(text.slice(from, start), mark));
    parts.push(redactScalar(text.slice(start, end), scalar, secrets.has(scalar), mark));
    from = end;
  }
  parts.push(redactText(text.slice(from), mark));
  return parts.join('');
}

/**
 * Replaces each secret in YAML or JSON documents with a mark, such as `***1`. Equal secrets have equal marks in all texts,
 * so a diff shows that a secret changed. Everything else stays; a text that is not a valid document loses nearly all
 * values. Linear time.
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
