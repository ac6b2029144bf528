import * as z from 'zod';

/** Unwraps optional, default, nullable and transformed schemas. */
function unwrap(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable)
    return unwrap(schema.unwrap());
  if (!(schema instanceof z.ZodPipe)) return schema;
  return unwrap(schema.out instanceof z.ZodTransform ? schema.in : schema.out);
}

/** The schema of a property or element, if it is known. */
function schemaAt(schema: unknown, step: PropertyKey): unknown {
  const name = String(step);
  const found = unwrap(schema);
  if (found instanceof z.ZodObject) return Object.hasOwn(found.shape, name) ? found.shape[name] : undefined;
  if (found instanceof z.ZodRecord) return found.valueType;
  return found instanceof z.ZodArray ? found.element : undefined;
}

const keysOf = (schema: unknown): readonly string[] => {
  const found = unwrap(schema);
  return found instanceof z.ZodObject ? Object.keys(found.shape) : [];
};

/** The keys that a schema allows for the mapping at a path. */
export function keysAt(schema: z.ZodType<unknown>, path: readonly PropertyKey[]): readonly string[] {
  return keysOf(path.reduce<unknown>(schemaAt, schema));
}

/** The keys of the mapping at a path under which another key is allowed: where a misplaced key belongs. */
export function keysAbove(schema: z.ZodType<unknown>, path: readonly PropertyKey[], key: string): string[] {
  return keysAt(schema, path).filter((each) => keysAt(schema, [...path, each]).includes(key));
}
