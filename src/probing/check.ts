import type { Check, Wanted } from '../model/proof.ts';
import type { ProbeResponse } from './fetch.ts';

function valueAt(value: unknown, path: string): unknown {
  if (path === '') return value;
  let current = value;
  for (const key of path.split('.')) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<string, unknown>)[key];
  }
  return current;
}

function matchesValue(value: unknown, wanted: Wanted): boolean {
  if (typeof wanted !== 'object') return value === wanted;
  if ('present' in wanted) return (value !== undefined) === wanted.present;
  if ('contains' in wanted)
    return typeof value === 'string' && value.toLowerCase().includes(wanted.contains.toLowerCase());
  if (wanted.type === 'array') return Array.isArray(value);
  if (wanted.type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === wanted.type;
}

function parseJson(body: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(body) };
  } catch {
    // Not JSON, so no check for JSON matches.
    return undefined;
  }
}

function matchesResponse(answer: ProbeResponse, check: Check): boolean {
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
    const json = parseJson(body);
    if (json === undefined) return false;
    for (const [path, wanted] of Object.entries(check.json))
      if (!matchesValue(valueAt(json.value, path), wanted)) return false;
  }
  return true;
}

/** Whether a response passes a check. */
export function matchesCheck(answer: ProbeResponse, check: Check): boolean {
  return matchesResponse(answer, check) !== (check.not === true);
}
