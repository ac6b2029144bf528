import type { Expectation, Matcher } from '../model/detector.ts';
import type { Service, ServicePort } from '../model/service.ts';

/** Whether a text matches a pattern in which `*` matches any characters. Linear time. */
export function fitsPattern(text: string, pattern: string): boolean {
  const parts = pattern.split('*');
  if (parts.length === 1) return text === pattern;
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false;
  let position = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return position <= text.length - last.length;
}

/** Whether a value matches an expectation. A missing value matches nothing. */
export function fitsExpectation(value: string | undefined, expected: Expectation): boolean {
  if (value === undefined) return false;
  if (expected === true) return true;
  return typeof expected === 'string'
    ? fitsPattern(value, expected)
    : expected.some((pattern) => fitsPattern(value, pattern));
}

/** Formats an untrusted value for display: truncated, and quoted unless it is a plain word. */
export function quoteForDisplay(value: string): string {
  const short = value.length > 80 ? `${value.slice(0, 77)}...` : value;
  if (/^[\w./:*@-]+$/.test(short)) return short;
  return JSON.stringify(short).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

/** Adds what matches to `said`. @returns whether everything that is expected matches */
function matchRecord(
  kind: string,
  record: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, Expectation>> | undefined,
  said: string[],
): boolean {
  for (const key in expected) {
    const value = Object.hasOwn(record, key) ? record[key] : undefined;
    if (value === undefined || !fitsExpectation(value, expected[key] as Expectation)) return false;
    said.push(`${kind} ${key}=${quoteForDisplay(value)}`);
  }
  return true;
}

function matchPort(
  ports: readonly ServicePort[],
  expected: NonNullable<Matcher['port']>,
): string | undefined {
  const port = ports.find(
    (candidate) =>
      (expected.name === undefined || fitsExpectation(candidate.name, expected.name)) &&
      (expected.number === undefined || candidate.port === expected.number) &&
      (expected.appProtocol === undefined || fitsExpectation(candidate.appProtocol, expected.appProtocol)),
  );
  if (port === undefined) return undefined;
  const protocol =
    expected.appProtocol === undefined ? '' : ` with appProtocol ${quoteForDisplay(port.appProtocol ?? '')}`;
  return `port ${port.port}${port.name === undefined ? '' : ` named ${quoteForDisplay(port.name)}`}${protocol}`;
}

/** Describes the parts of a Service that match. `undefined` if any condition fails. */
export function matchService(service: Service, matcher: Matcher): string | undefined {
  const said: string[] = [];
  if (
    !matchRecord('label', service.labels, matcher.labels, said) ||
    !matchRecord('annotation', service.annotations, matcher.annotations, said) ||
    !matchRecord('selector', service.selector, matcher.selector, said)
  )
    return undefined;
  if (matcher.name !== undefined) {
    if (!fitsExpectation(service.name, matcher.name)) return undefined;
    said.push(`name ${service.name}`);
  }
  if (matcher.port !== undefined) {
    const port = matchPort(service.ports, matcher.port);
    if (port === undefined) return undefined;
    said.push(port);
  }
  return said.join(' and ');
}
