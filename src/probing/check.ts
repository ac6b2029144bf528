import type { Check, Wanted } from '../model/proof.ts';
import type { Answer } from './fetch.ts';

function valueAt(value: unknown, path: string): unknown {
  if (path === '') return value;
  let current = value;
  for (const key of path.split('.')) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<string, unknown>)[key];
  }
  return current;
}

function isWanted(value: unknown, wanted: Wanted): boolean {
  if (typeof wanted !== 'object') return value === wanted;
  if ('present' in wanted) return (value !== undefined) === wanted.present;
  if ('contains' in wanted)
    return typeof value === 'string' && value.toLowerCase().includes(wanted.contains.toLowerCase());
  if (wanted.type === 'array') return Array.isArray(value);
  if (wanted.type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === wanted.type;
}

function jsonOf(body: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(body) };
  } catch {
    // Not JSON: it fulfils no check that asks for any.
    return undefined;
  }
}

function isLike(answer: Answer, check: Check): boolean {
  const { status, headers, body } = answer;
  if (check.status === undefined ? status < 200 || status > 299 : !check.status.includes(status))
    return false;
  for (const [name, text] of Object.entries(check.headers ?? {})) {
    const value = headers[name] === undefined ? undefined : [headers[name]].flat().join(', ');
    if (value === undefined) return false;
    if (text !== true && !value.toLowerCase().includes(text.toLowerCase())) return false;
  }
  if (check.body !== undefined && !body.toLowerCase().includes(check.body.toLowerCase())) return false;
  if (check.text !== undefined && body.trim() !== check.text) return false;
  if (check.json !== undefined) {
    const json = jsonOf(body);
    if (json === undefined) return false;
    for (const [path, wanted] of Object.entries(check.json))
      if (!isWanted(valueAt(json.value, path), wanted)) return false;
  }
  return true;
}

/** Does an answer fulfil a check? */
export function fulfils(answer: Answer, check: Check): boolean {
  return isLike(answer, check) !== (check.not === true);
}
