import { NO_OVERRIDES, type Overrides, overridesSchema } from '../model/overrides.ts';
import { hideSecrets } from '../model/redact-text.ts';
import { SMALL } from '../model/yaml-document.ts';
import { type Faults, readYaml } from '../model/yaml-text.ts';

export type ReadOverrides = { readonly value: Overrides } | Faults;

/** What was read last: `overrides.yaml` is asked for in each pass, and seldom another one. */
let last: { readonly text: string; readonly read: ReadOverrides } | undefined;

/**
 * Reads the text of `overrides.yaml`. A text without content is no overrides.
 * @returns the overrides, or every fault with line and column
 */
export function readOverrides(text: string | undefined): ReadOverrides {
  if (text === undefined) return { value: NO_OVERRIDES };
  if (last?.text !== text) last = { text, read: readYaml(text, overridesSchema, { limits: SMALL }) };
  return last.read;
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
