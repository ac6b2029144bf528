import { namesHeaders, namesSecret } from '../model/redact-names.ts';
import { HIDDEN, hideSecrets } from '../model/redact-text.ts';

/** Fields of ours that sound like secrets and are none. */
const OURS = new Set(['override_key']);

/** Names that were found to tell nothing, and most of them that are remembered. */
const harmless = new Set<string>();
const REMEMBERED = 1_000;

function isTelling(name: string, value: string): boolean {
  if (harmless.has(name)) return false;
  if (namesHeaders(name) || namesSecret(name)) return namesSecret(name, value);
  if (harmless.size < REMEMBERED) harmless.add(name);
  return false;
}

/** Shorter values are words that may stand anywhere by chance. */
const SHORTEST = 6;

/**
 * Hides secrets in values of any kind: what stands under a telling name, all headers, what looks like a secret in a text,
 * and values that are known to be secret.
 * @param secrets values that are known to be secret
 */
export function redactor(secrets: readonly string[] = []): (value: unknown) => unknown {
  const known = secrets.filter(({ length }) => length >= SHORTEST);
  const text = (value: string): string =>
    hideSecrets(known.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), value));
  const hideAll = (value: unknown): unknown => {
    if (value === null || typeof value === 'boolean') return value;
    if (Array.isArray(value)) return value.map(hideAll);
    return typeof value === 'object' ? entries(value, (_, each) => hideAll(each)) : HIDDEN;
  };
  const one = (name: string, value: unknown): unknown => {
    if (typeof value === 'string') return !OURS.has(name) && isTelling(name, value) ? HIDDEN : text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (namesHeaders(name) || namesSecret(name)) return hideAll(value);
    return Array.isArray(value) ? value.map((each) => one('', each)) : entries(value, one);
  };
  // Names come from elsewhere as well, labels for one.
  const entries = (value: object, each: (name: string, value: unknown) => unknown): object =>
    Object.fromEntries(Object.entries(value).map(([name, inner]) => [text(name), each(name, inner)]));
  return (value) => one('', value);
}
