import * as z from 'zod';
import { isMapping } from '../../../model/mapping.ts';

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

/**
 * The faults of a value of a configuration: what YAML or HolmesGPT cannot have, and `null` outside lists, where it removes a
 * field. A union of schemas would take many times as long, since it collects the faults of all its members.
 */
function* valueFaults(
  value: unknown,
  path: readonly PropertyKey[] = [],
  inList = false,
): Generator<{ readonly path: PropertyKey[]; readonly message: string }> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* valueFaults(item, [...path, index], true);
  } else if (isMapping(value)) {
    for (const [key, item] of Object.entries(value)) {
      const [issue] = ORDINARY_KEY.test(key) ? [] : (holmesKey.safeParse(key).error?.issues ?? []);
      if (issue !== undefined) yield { path: [...path, key], message: issue.message };
      yield* valueFaults(item, [...path, key], inList);
    }
  } else if (!isScalar(value) && !(inList && value === null))
    yield { path: [...path], message: 'is neither a string, a number, true or false, a list nor a mapping' };
}

const isScalar = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);

/** Keys that are certainly allowed. */
const ORDINARY_KEY = /^[A-Za-z][A-Za-z0-9/-]*$/;

const plainValue = z.unknown().superRefine((value, context) => {
  for (const fault of valueFaults(value)) context.addIssue({ code: 'custom', input: value, ...fault });
});

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
