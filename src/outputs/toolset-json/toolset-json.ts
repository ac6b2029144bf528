import * as z from 'zod';
import { portFault } from '../../model/port-fault.ts';
import type { PublishedTool } from '../../model/published-tools.ts';
import { jsonText } from '../../model/visible.ts';

const tool = z.strictObject({
  name: z.string().min(1),
  type: z.string().min(1),
  endpoint: z.url({
    protocol: /^(https?|tcp)$/,
    // For a value that is not text, the default message says what it is.
    error: ({ input }) =>
      typeof input === 'string' ? (portFault(input) ?? 'is not an http, https or tcp URL') : undefined,
  }),
  description: z.string().min(1),
  cluster: z.string().min(1).optional(),
  namespace: z.string().min(1).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});

/** The schema of `toolset.json`: a list of tools, each with a unique name. */
export const toolsetJsonSchema = z.strictObject({
  tools: z
    .array(tool)
    .refine(
      (tools) => new Set(tools.map(({ name }) => name)).size === tools.length,
      'two tools have one name',
    ),
});

/** `toolset.json` of tools in the order in which they are written. */
export function toolsetJson(tools: readonly PublishedTool[]): string {
  return `${jsonText(toolsetJsonSchema.parse({ tools }), 2)}\n`;
}
