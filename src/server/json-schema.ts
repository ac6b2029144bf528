import * as z from 'zod';

/** A schema as validation and documentation take it. @param io whether it is of what comes in, or of what goes out */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'input'): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    override({ jsonSchema: made }) {
      // These say again what is said already, so that nobody can read it.
      if (made.format === 'date-time' || made.format === 'uuid') delete made.pattern;
      if (made.minimum === Number.MIN_SAFE_INTEGER) delete made.minimum;
      if (made.maximum === Number.MAX_SAFE_INTEGER) delete made.maximum;
    },
  });
  return rest;
}
