import type * as z from 'zod';
import { countOf } from './count-of.ts';
import { didYouMean } from './nearest.ts';
import { namesSecret } from './redact-names.ts';
import { shown } from './visible.ts';

/** Readable names of zod's types. */
const NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'empty',
};

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return 'a string';
  return typeof value === 'number' || typeof value === 'bigint' ? 'a number' : 'true or false';
}

/** Boolean words, which users put in quotes by mistake. */
const TRUTH = /^(true|false|yes|no|on|off|y|n|enabled|disabled)$/i;

/**
 * Describes the actual value by its kind. The value itself is shown only if it is a boolean word or almost an allowed
 * value: faults go to logs and Events, and any value may be a secret.
 */
function describeValue(value: unknown, path: readonly PropertyKey[] = [], expected = '', meant = ''): string {
  const name = String(path.at(-1) ?? '');
  const isShown = typeof value === 'string' && (meant !== '' || TRUTH.test(value)) && !namesSecret(name);
  if (isShown) return JSON.stringify(value);
  const kind = kindOf(value);
  return kind === expected ? kind.replace(/^a /, 'another ') : kind;
}

/** `a string, a number or a list`. */
const alternatives = (names: readonly string[]): string =>
  [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((part) => part !== '').join(' or ');

/** The message of an issue. That of an invalid key is in the issues of the key. */
const messageOf = (issue: z.core.$ZodIssue): string =>
  issue.code === 'invalid_key' ? issue.issues.map(({ message }) => message).join(', ') : issue.message;

/** The message of the best matching branch of a union, which is the one that failed at the deepest path. */
function unionMessage(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string | undefined {
  const depthOf = (branch: readonly z.core.$ZodIssue[]): number =>
    branch.reduce((deepest, { path }) => Math.max(deepest, path.length), 0);
  const deepest = issue.errors.reduce((depth, branch) => Math.max(depth, depthOf(branch)), 0);
  const [inner] = issue.errors.find((branch) => depthOf(branch) === deepest) ?? [];
  if (deepest > 0 && inner !== undefined)
    return `${inner.path.map((part) => shown(String(part))).join('.')}: ${messageOf(inner)}`;
  const types = issue.errors.flat().flatMap((each) => (each.code === 'invalid_type' ? [each.expected] : []));
  const own = issue.errors.flat().find(({ code }) => code !== 'invalid_type');
  if (own !== undefined && issue.errors.some((branch) => branch.every(({ code }) => code !== 'invalid_type')))
    return own.message;
  if (types.length === 0) return undefined;
  const names = [...new Set(types.map((type) => NAMES[type] ?? type))];
  return `must be ${alternatives(names)}, but is ${describeValue(issue.input, issue.path)}`;
}

/** Formats a limit with its unit, such as `1 character`. */
function limitWithUnit(origin: string, limit: number | bigint): string {
  if (origin === 'string') return countOf(Number(limit), 'character');
  if (origin === 'array' || origin === 'set') return countOf(Number(limit), 'item');
  return origin === 'object' || origin === 'record' ? countOf(Number(limit), 'key') : String(limit);
}

/** Formats an issue as a readable message. `undefined` keeps zod's own message. */
export function issueMessage(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined && issue.code !== 'unrecognized_keys') return 'is missing';
  const measured = issue.code === 'too_small' || issue.code === 'too_big';
  if (measured) {
    const verb = issue.origin === 'number' || issue.origin === 'int' ? 'must be' : 'must have';
    return issue.code === 'too_small'
      ? `${verb} at least ${limitWithUnit(issue.origin, issue.minimum)}`
      : `${verb} at most ${limitWithUnit(issue.origin, issue.maximum)}`;
  }
  if (issue.code === 'invalid_type')
    return `must be ${NAMES[issue.expected] ?? issue.expected}, but is ${describeValue(issue.input, issue.path)}`;
  if (issue.code === 'invalid_value') {
    const known = issue.values.map(String);
    const meant = typeof issue.input === 'string' ? didYouMean(issue.input, known) : '';
    const kind = kindOf(issue.values[0]);
    return `must be ${known.length === 1 ? '' : 'one of '}${known.join(', ')}, but is ${describeValue(issue.input, issue.path, kind, meant)}${meant}`;
  }
  return issue.code === 'invalid_union' ? unionMessage(issue) : undefined;
}
