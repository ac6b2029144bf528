import { NO_OVERRIDES, type Overrides, overridesSchema } from '../model/overrides.ts';
import { type Fault, readYaml } from '../model/yaml-text.ts';

/** Most characters of overrides that are read: more than any person writes. */
const LIMIT = 256 * 1024;

/**
 * Reads the text of `overrides.yaml`. A text without content is no overrides.
 * @returns the overrides, or every fault with line and column
 */
export function readOverrides(
  text: string | undefined,
): { readonly value: Overrides } | { readonly faults: readonly Fault[] } {
  if (text === undefined) return { value: NO_OVERRIDES };
  if (text.length > LIMIT)
    return { faults: [{ line: 1, column: 1, message: `longer than ${LIMIT / 1024} KiB` }] };
  return readYaml(text, overridesSchema);
}

/** Faults on one line, for an annotation or a log: the first few, each with its place. */
export function faultsLine(faults: readonly Fault[]): string {
  const shown = faults
    .slice(0, 3)
    .map(({ line, column, message }) => `line ${line}, column ${column}: ${message}`);
  return `${shown.join('; ')}${faults.length > 3 ? `; and ${faults.length - 3} more` : ''}`;
}
