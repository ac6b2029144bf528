import { isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

/** A place in a text and what is wrong there. */
export interface Fault {
  /** Line and column, from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Most nodes that aliases may stand for: enough for people, too few for a bomb. */
const ALIASES = 100;

/**
 * Reads a YAML text and checks it against a schema.
 * @returns the value, or every fault with its place
 */
export function readYaml<T>(
  text: string,
  schema: z.ZodType<T>,
): { readonly value: T } | { readonly faults: readonly Fault[] } {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const at = (offset: number, message: string): Fault => {
    const { line, col } = counter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col), message };
  };
  if (document.errors.length > 0)
    return { faults: document.errors.map((error) => at(error.pos[0], error.message)) };
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: ALIASES });
  } catch (error) {
    return { faults: [at(0, (error as Error).message)] };
  }
  const result = schema.safeParse(plain);
  if (result.success) return { value: result.data };
  /** The deepest node on the way to a value that may be missing. */
  const offsetOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  };
  return {
    faults: result.error.issues.map((issue) => {
      const keys = issue.code === 'unrecognized_keys' ? issue.keys : [];
      const where = [...issue.path, ...keys.slice(0, 1)];
      const name = issue.path.map(String).join('.');
      return at(offsetOf(where), name === '' ? issue.message : `${name}: ${issue.message}`);
    }),
  };
}
