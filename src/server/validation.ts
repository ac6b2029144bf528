import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { FastifySchemaCompiler } from 'fastify';

/** Most values in a part of a request of which everything that is wrong is told, and not the first fault alone. */
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

/** Whether a value holds at most so many values, itself included. Looks at no more than that. */
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
 * Validates parts of requests by JSON Schema. Of a small one everything that is wrong is told; of a large one the first
 * fault, at which it stops: to collect the faults of a body would cost far more than the body does.
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
