import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { FastifySchemaCompiler } from 'fastify';

/** Maximum number of values in a part of a request for which all faults are reported. */
const FEW = 500;

const options = {
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: true,
  addUsedSchema: false,
} as const;

function compiler(allErrors: boolean): Ajv {
  const ajv = new Ajv({ ...options, allErrors });
  addFormats.default(ajv);
  return ajv;
}

/** Whether a value contains at most this many values, including itself. Visits no more than that. */
function hasFew(value: unknown, most: number): boolean {
  const left: unknown[] = [value];
  for (let seen = 0; left.length > 0; seen++) {
    if (seen === most) return false;
    const each = left.pop();
    if (typeof each !== 'object' || each === null) continue;
    const inside = Object.values(each);
    if (inside.length > most) return false;
    left.push(...inside);
  }
  return true;
}

/**
 * Validates parts of requests with JSON Schema. Reports all faults of a small part, but only the first one of a large part:
 * collecting all faults of a large body would cost far more than reading it.
 */
export function boundedValidator(): FastifySchemaCompiler<unknown> {
  const first = compiler(false);
  let all: Ajv | undefined;
  return ({ schema }) => {
    const quick = first.compile(schema as object);
    let whole: ValidateFunction | undefined;
    const validate: { (data: unknown): boolean; errors?: ErrorObject[] | null } = (data) => {
      if (quick(data)) return true;
      validate.errors = quick.errors ?? [];
      if (hasFew(data, FEW)) {
        all ??= compiler(true);
        whole ??= all.compile(schema as object);
        whole(data);
        validate.errors = whole.errors ?? validate.errors;
      }
      return false;
    };
    return validate as ReturnType<FastifySchemaCompiler<unknown>>;
  };
}
