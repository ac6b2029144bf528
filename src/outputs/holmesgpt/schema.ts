import * as z from 'zod';

/**
 * The schema of a key. HolmesGPT rejects a file with a dot in any mapping key (observed with 0.45.0: "keypath separator").
 * @param hint the end of the message about a key with a dot
 */
export const holmesKeyOf = (hint: (key: string) => string) =>
  z
    .string()
    .regex(/^[^.]+$/, {
      error: ({ input }) => `contains a dot, which HolmesGPT rejects in any key${hint(String(input))}`,
    })
    .refine((key) => key !== '__proto__', 'is not allowed as a key');

/** A key without a hint. */
export const holmesKey = holmesKeyOf(() => '');

const scalar = z.union([z.string(), z.number(), z.boolean()]);
/** A value in a list, where options from overrides keep `null`. Elsewhere `null` removes a field. */
const listItem: z.ZodType<unknown> = z.lazy(() =>
  z.union([scalar, z.null(), z.array(listItem), z.record(holmesKey, listItem)]),
);
const plainValue: z.ZodType<unknown> = z.lazy(() =>
  z.union([scalar, z.array(listItem), z.record(holmesKey, plainValue)]),
);

/** An entry under `toolsets:`, with the fields of HolmesGPT 0.45.0 that are generated. */
const toolset = z.strictObject({
  enabled: z.literal(true),
  type: z.literal('http').optional(),
  description: z.string().min(1).optional(),
  llm_instructions: z.string().min(1).optional(),
  config: z.record(holmesKey, plainValue).optional(),
});

/** An entry under `mcp_servers:`. */
const mcpServer = z.strictObject({
  description: z.string().min(1),
  approval_required_tools: z.array(z.string()).optional(),
  config: z.strictObject({
    url: z.url(),
    mode: z.enum(['streamable-http', 'sse']),
    headers: z.record(holmesKey, z.string()).optional(),
  }),
});

/** The schema of the generated part of `custom_toolset.yaml`. */
export const holmesSchema = z.strictObject({
  toolsets: z.record(holmesKey, toolset),
  mcp_servers: z.record(holmesKey, mcpServer).optional(),
});

export type HolmesToolset = z.infer<typeof toolset>;
export type HolmesMcpServer = z.infer<typeof mcpServer>;
