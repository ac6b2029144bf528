import { namesHeaders, namesSecret } from '../model/redact-names.ts';
import { HIDDEN, hideInMessage } from '../model/redact-text.ts';

/** Our own fields whose names only sound like secrets. */
const NOT_SECRET = new Set(['override_key']);

/** A bounded cache of names that are not secret. */
const harmless = new Set<string>();
const MAX_CACHED_NAMES = 1_000;

function isSecretField(name: string, value: string): boolean {
  if (harmless.has(name)) return false;
  if (namesHeaders(name) || namesSecret(name)) return namesSecret(name, value);
  if (harmless.size < MAX_CACHED_NAMES) harmless.add(name);
  return false;
}

/** Shorter values are not redacted, because they may be ordinary words. */
const MIN_SECRET_LENGTH = 6;

/**
 * Redacts secrets in any value: fields with the name of a secret, all headers, texts that look like secrets, and known
 * secret values.
 * @param secrets known secret values
 */
export function createRedactor(secrets: readonly string[] = []): (value: unknown) => unknown {
  const known = secrets.filter(({ length }) => length >= MIN_SECRET_LENGTH);
  const text = (value: string): string =>
    hideInMessage(known.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), value));
  const hideAll = (value: unknown): unknown => {
    if (value === null || typeof value === 'boolean') return value;
    if (Array.isArray(value)) return value.map(hideAll);
    return typeof value === 'object' ? entries(value, (_, each) => hideAll(each)) : HIDDEN;
  };
  const one = (name: string, value: unknown): unknown => {
    if (typeof value === 'string')
      return !NOT_SECRET.has(name) && isSecretField(name, value) ? HIDDEN : text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (namesHeaders(name) || namesSecret(name)) return hideAll(value);
    return Array.isArray(value) ? value.map((each) => one('', each)) : entries(value, one);
  };
  // Names are redacted too, because some are untrusted, such as those of labels.
  const entries = (value: object, each: (name: string, value: unknown) => unknown): object =>
    Object.fromEntries(Object.entries(value).map(([name, inner]) => [text(name), each(name, inner)]));
  return (value) => one('', value);
}
