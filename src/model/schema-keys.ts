import * as z from 'zod';

/** The schema that one stands for, without what makes it optional or prepares its input or output. */
function bare(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable)
    return bare(schema.unwrap());
  if (!(schema instanceof z.ZodPipe)) return schema;
  return bare(schema.out instanceof z.ZodTransform ? schema.in : schema.out);
}

/** The schema of a value within what another schema describes, if that can be told. */
function within(schema: unknown, step: PropertyKey): unknown {
  const name = String(step);
  const found = bare(schema);
  if (found instanceof z.ZodObject) return Object.hasOwn(found.shape, name) ? found.shape[name] : undefined;
  if (found instanceof z.ZodRecord) return found.valueType;
  return found instanceof z.ZodArray ? found.element : undefined;
}

const keysOf = (schema: unknown): readonly string[] => {
  const found = bare(schema);
  return found instanceof z.ZodObject ? Object.keys(found.shape) : [];
};

/** The keys that a mapping at a path may have, as far as a schema tells. */
export function keysAt(schema: z.ZodType<unknown>, path: readonly PropertyKey[]): readonly string[] {
  return keysOf(path.reduce<unknown>(within, schema));
}

/** The keys of a mapping at a path below which another key may stand: where one that is at the wrong place belongs. */
export function keysAbove(schema: z.ZodType<unknown>, path: readonly PropertyKey[], key: string): string[] {
  return keysAt(schema, path).filter((each) => keysAt(schema, [...path, each]).includes(key));
}
