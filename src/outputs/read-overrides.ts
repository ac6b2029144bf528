import { encodingFault } from '../model/binary-text.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import { hideInMessage } from '../model/redact-text.ts';
import { SMALL } from '../model/yaml-document.ts';
import { type Faults, readYaml } from '../model/yaml-text.ts';
import { overridesSchema } from './overrides-schema.ts';

export type ReadOverrides = { readonly value: Overrides } | Faults;

/** Size of the cache: enough for the published text, its successor and a revision. */
const CACHE_SIZE = 4;

/** Cache of parsed texts, oldest first. Each pass and many requests need the same text. */
const cache = new Map<string, ReadOverrides>();

/** Whether the result for a text is cached. */
export const isCached = (text: string): boolean => cache.has(text);

/** Caches a result for `readOverrides`. */
export function cacheOverrides(text: string, read: ReadOverrides): void {
  cache.delete(text);
  cache.set(text, read);
  const [oldest] = cache.keys();
  if (cache.size > CACHE_SIZE && oldest !== undefined) cache.delete(oldest);
}

/**
 * Parses the text of `overrides.yaml`. An empty text means no overrides.
 * @returns the overrides, or all faults with line and column
 */
export function readOverrides(text: string | undefined): ReadOverrides {
  if (text === undefined) return { value: NO_OVERRIDES };
  const read = cache.get(text) ?? parse(text);
  cacheOverrides(text, read);
  return read;
}

function parse(text: string): ReadOverrides {
  const fault = encodingFault(text);
  return fault === undefined
    ? readYaml(text, overridesSchema, { limits: SMALL })
    : { faults: [fault], more: 0 };
}

/** Maximum faults on one line. */
const MAX_FAULTS = 3;

/** Formats the first few faults on one line, for annotations, Events and logs. Secrets are redacted. */
export function faultsLine({ faults, more }: Faults): string {
  const shown = faults
    .slice(0, MAX_FAULTS)
    .map(({ line, column, message }) => `line ${line}, column ${column}: ${message}`);
  const rest = faults.length - shown.length + more;
  return hideInMessage(`${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`);
}
