import { NO_OVERRIDES, type Overrides, overridesSchema } from '../model/overrides.ts';
import { hideSecrets } from '../model/redact-text.ts';
import { SMALL } from '../model/yaml-document.ts';
import { type Faults, readYaml } from '../model/yaml-text.ts';

export type ReadOverrides = { readonly value: Overrides } | Faults;

/** Most texts that are remembered: what is published, what it becomes, and a revision of it. */
const REMEMBERED = 4;

/** The texts that were read last, the oldest first: each pass and many requests ask for the same one. */
const known = new Map<string, ReadOverrides>();

/** Whether `readOverrides` knows what a text holds, and has nothing to read. */
export const isRead = (text: string): boolean => known.has(text);

/** Remembers what somebody else read, for `readOverrides`. */
export function rememberOverrides(text: string, read: ReadOverrides): void {
  known.delete(text);
  known.set(text, read);
  const [oldest] = known.keys();
  if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
}

/**
 * Reads the text of `overrides.yaml`. A text without content is no overrides.
 * @returns the overrides, or every fault with line and column
 */
export function readOverrides(text: string | undefined): ReadOverrides {
  if (text === undefined) return { value: NO_OVERRIDES };
  const read = known.get(text) ?? readYaml(text, overridesSchema, { limits: SMALL });
  rememberOverrides(text, read);
  return read;
}

/** Most faults on one line. */
const FEW = 3;

/** Faults on one line, for an annotation, an Event or a log: the first few, each with its place, and no secrets. */
export function faultsLine({ faults, more }: Faults): string {
  const shown = faults
    .slice(0, FEW)
    .map(({ line, column, message }) => `line ${line}, column ${column}: ${message}`);
  const rest = faults.length - shown.length + more;
  return hideSecrets(`${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`);
}
