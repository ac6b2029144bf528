import * as z from 'zod';

/** The schema of a value within what another schema describes, if that can be told. */
function within(schema: unknown, step: PropertyKey): unknown {
  const name = String(step);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable)
    return within(schema.unwrap(), step);
  if (schema instanceof z.ZodObject)
    return Object.hasOwn(schema.shape, name) ? schema.shape[name] : undefined;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return schema instanceof z.ZodArray ? schema.element : undefined;
}

/** The keys that a mapping at a path may have, as far as a schema tells. */
export function keysAt(schema: z.ZodType<unknown>, path: readonly PropertyKey[]): readonly string[] {
  let found: unknown = path.reduce<unknown>(within, schema);
  while (found instanceof z.ZodOptional || found instanceof z.ZodDefault || found instanceof z.ZodNullable)
    found = found.unwrap();
  return found instanceof z.ZodObject ? Object.keys(found.shape) : [];
}
