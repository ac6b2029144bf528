import * as z from 'zod';

/** A schema as validation and documentation take it. @param io whether it is of what comes in, or of what goes out */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'input'): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' });
  return rest;
}
