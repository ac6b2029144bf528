/** Reads values of the caller: their getters and proxies may throw, and their lists may never end. */
import type * as z from 'zod';
import { issueMessage } from '../model/schema-words.ts';
import { shown } from '../model/visible.ts';
import { MAX_FAULTS } from '../model/yaml-text.ts';
import { InputError } from './input-error.ts';

/**
 * Runs a function that reads a value of the caller.
 * @throws InputError with that as its cause, if the function throws anything
 */
export function reading<T>(place: string, read: () => T, input = place): T {
  try {
    return read();
  } catch (cause) {
    throw new InputError(`${place}: cannot be read: it throws an error, which is the cause`, input, [], {
      cause,
    });
  }
}

/** The first items of a list, and one more if there are others. It copies no hole of a sparse array beyond them. */
export function itemsOf(list: Iterable<unknown>, most: number): unknown[] {
  const items: unknown[] = [];
  for (const item of list) {
    items.push(item);
    if (items.length > most) break;
  }
  return items;
}

/**
 * Reads a list of objects.
 * @param expected what else to pass
 * @throws InputError if it is no list, has too many items, or throws
 */
export function readList(
  input: string,
  given: unknown,
  { most, expected }: { readonly most: number; readonly expected: string },
): unknown[] {
  const items = reading(input, () =>
    typeof given === 'object' && given !== null && Symbol.iterator in given
      ? itemsOf(given as Iterable<unknown>, most)
      : undefined,
  );
  if (items === undefined) throw new InputError(`${input}: must be ${expected}`, input);
  if (items.length > most)
    throw new InputError(`${input}: has more than ${most.toLocaleString('en')} items, the limit`, input);
  return items;
}

/** Formats a place in a value, such as `backends[3].endpoint`. */
const placeIn = (root: string, path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${shown(String(part))}`),
    root,
  );

/**
 * Reads a value with a schema.
 * @param inputOf the input with a fault, by the path of the fault
 * @throws InputError with a line for each fault
 */
export function readAs<T>(
  schema: z.ZodType<T>,
  given: unknown,
  root: string,
  inputOf: (path: readonly PropertyKey[]) => string = () => root,
): T {
  const read = reading(root, () => {
    const { data, error } = schema.safeParse(given, { error: issueMessage });
    // The messages look at the value, too.
    return error === undefined ? { data: data as T } : { issues: error.issues };
  });
  if (read.issues === undefined) return read.data;
  const { issues } = read;
  const lines = issues.slice(0, MAX_FAULTS).map(({ path, message }) => `${placeIn(root, path)}: ${message}`);
  if (issues.length > MAX_FAULTS) lines.push(`and ${issues.length - MAX_FAULTS} more`);
  throw new InputError(lines.join('\n'), inputOf(issues[0]?.path ?? []));
}
