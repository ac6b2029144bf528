import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { portFault } from '../../../model/port-fault.ts';
import { RULES } from './model-rules.ts';
import { HOLMES, own, type Schema } from './models.ts';

/** The path of a value in the document. */
export type Path = readonly (string | number)[];

/** `fault`: HolmesGPT rejects the value, or it has no effect. `warning`: HolmesGPT accepts and ignores it. */
export interface HolmesFault {
  readonly path: Path;
  readonly message: string;
  readonly level: 'fault' | 'warning';
}

export const fault = (path: Path, message: string): HolmesFault => ({ path, message, level: 'fault' });
export const warning = (path: Path, message: string): HolmesFault => ({ path, message, level: 'warning' });
export const isFault = ({ level }: Pick<HolmesFault, 'level'>): boolean => level === 'fault';

const TEMPLATE_START = /\{\{\s*env\./;

/**
 * Whether a text has a template that HolmesGPT fills from its environment, so that its value is unknown here. This is the
 * regular expression `\{\{\s*env\.[^}]*\}\}`, which would take quadratic time.
 */
const hasTemplate = (text: string): boolean =>
  text
    .split('}}')
    .slice(0, -1)
    .some((part) => TEMPLATE_START.test(part.slice(part.lastIndexOf('}') + 1)));
const BOOLEANS = /^(0|1|off|on|f|t|false|true|n|y|no|yes)$/i;

/**
 * The values that pydantic accepts for each type in lax mode.
 * Source: https://docs.pydantic.dev/latest/concepts/conversion_table/
 */
const ACCEPTS = {
  string: (value: unknown) => typeof value === 'string',
  integer: (value: unknown) =>
    Number.isInteger(value) ||
    typeof value === 'boolean' ||
    (typeof value === 'string' && /^\s*[+-]?\d+(_\d+)*(\.0+)?\s*$/.test(value)),
  number: (value: unknown) =>
    typeof value === 'number' ||
    typeof value === 'boolean' ||
    (typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))),
  boolean: (value: unknown) =>
    typeof value === 'boolean' ||
    value === 0 ||
    value === 1 ||
    (typeof value === 'string' && BOOLEANS.test(value)),
  array: Array.isArray,
  object: isMapping,
  null: (value: unknown) => value === null,
} as const;

const NAMES = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  null: 'empty',
} as const;

/** What a value is, for messages, without the value, which may be secret. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (value instanceof Date) return 'a date';
  if (typeof value === 'number' || typeof value === 'bigint') return 'a number';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return value.trim() === '' ? 'an empty string' : 'a string';
  return Array.isArray(value) ? 'a list' : 'a mapping';
}

/** The message about a value that is not one of the possible ones. */
export const notOneOf = (possible: readonly unknown[], value: unknown): string =>
  `must be one of ${possible.join(', ')}, but is ${kindOf(value) === 'a string' ? 'another string' : kindOf(value)}`;

/** The message about a value that is not a mapping. */
export const notMapping = (value: unknown): string => `must be a mapping, but is ${kindOf(value)}`;

/** The faults of a value in a model of HolmesGPT. */
export function checkModel(model: string, value: unknown, path: Path): HolmesFault[] {
  return checkValue({ $ref: model }, value, path);
}

export function checkValue(schema: Schema, value: unknown, path: Path): HolmesFault[] {
  if (schema.$ref !== undefined) {
    const model = own(HOLMES.models, schema.$ref);
    if (model === undefined) throw new Error(`there is no model ${schema.$ref} of HolmesGPT`);
    return isMapping(value) && model.properties !== undefined
      ? checkFields(schema.$ref, model, value, path)
      : checkValue(model, value, path);
  }
  if (schema.not !== undefined) return [fault(path, 'is not possible here')];
  if (schema.anyOf !== undefined)
    return bestUnionBranch(schema.anyOf.map((one) => checkValue(one, value, path)));
  const isTemplate = typeof value === 'string' && hasTemplate(value);
  if (schema.enum !== undefined && !isTemplate && !schema.enum.includes(value))
    return [fault(path, notOneOf(schema.enum, value))];
  const { type } = schema;
  if (type === undefined) return [];
  if (isTemplate && type !== 'array' && type !== 'object' && type !== 'null') return [];
  if (!ACCEPTS[type](value)) return [fault(path, `must be ${NAMES[type]}, but is ${kindOf(value)}`)];
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined
      ? []
      : value.flatMap((item, index) => checkValue(items, item, [...path, index]));
  }
  if (isMapping(value)) return checkEntries(schema, value, path);
  return checkScalar(schema, value, path);
}

/** The faults of the best matching union branch. Pydantic picks the first branch that matches. */
export function bestUnionBranch(verdicts: readonly HolmesFault[][]): HolmesFault[] {
  const count = (verdict: readonly HolmesFault[]): number => verdict.filter(isFault).length;
  return verdicts.reduce((best, next) => {
    const depth = (verdict: readonly HolmesFault[]): number =>
      Math.max(0, ...verdict.map((each) => each.path.length));
    if (count(best) === 0) return best;
    if (count(next) === 0 || depth(next) > depth(best)) return next;
    return depth(next) === depth(best) && count(next) < count(best) ? next : best;
  });
}

function checkScalar(schema: Schema, value: unknown, path: Path): HolmesFault[] {
  const { minimum, exclusiveMinimum, maximum, minLength, format } = schema;
  if (typeof value === 'string' && minLength !== undefined && value.length < minLength)
    return [fault(path, 'is empty')];
  if (format === 'uri' && !URL.canParse(String(value)))
    return [fault(path, portFault(String(value)) ?? 'is not a URL')];
  const number = Number(value);
  if (minimum !== undefined && number < minimum) return [fault(path, `must be ${minimum} or more`)];
  if (exclusiveMinimum !== undefined && number <= exclusiveMinimum)
    return [fault(path, `must be more than ${exclusiveMinimum}`)];
  if (maximum !== undefined && number > maximum) return [fault(path, `must be ${maximum} or less`)];
  return [];
}

/** A mapping with free keys. */
function checkEntries({ additionalProperties }: Schema, value: Mapping, path: Path): HolmesFault[] {
  if (typeof additionalProperties !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    checkValue(additionalProperties, inner, [...path, key]),
  );
}

/** A model: its fields, under their current and deprecated names. */
function checkFields(name: string, model: Schema, value: Mapping, path: Path): HolmesFault[] {
  const { properties = {}, deprecated = {}, required = [], validators = [] } = model;
  const faults: HolmesFault[] = [];
  const fields = new Map(Object.entries(value).map(([key, inner]) => [key, { key, inner }]));
  for (const [old, now] of Object.entries(deprecated)) {
    const found = fields.get(old);
    if (found === undefined) continue;
    faults.push(
      warning([...path, old], now === null ? 'has no effect any more' : `is an old name; write ${now}`),
    );
    fields.delete(old);
    if (now !== null && !fields.has(now)) fields.set(now, found);
  }
  for (const field of required) if (!fields.has(field)) faults.push(fault(path, `lacks ${field}`));
  for (const [field, { key, inner }] of fields) {
    const schema = own(properties, field);
    if (schema !== undefined) faults.push(...checkValue(schema, inner, [...path, key]));
    else if (model.additionalProperties === false)
      faults.push(fault([...path, key], `HolmesGPT has no such field (${name})`));
    else faults.push(warning([...path, key], `HolmesGPT has no such field and ignores it (${name})`));
  }
  if (faults.some(isFault)) return faults;
  const renamed = Object.fromEntries([...fields].map(([field, { inner }]) => [field, inner]));
  for (const validator of validators) {
    const said = own(RULES, validator)?.(renamed);
    if (said !== undefined) faults.push(fault(path, said));
  }
  return faults;
}
