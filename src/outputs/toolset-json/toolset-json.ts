import * as z from 'zod';
import { endpointUrl } from '../../model/discovery.ts';
import { clusterField } from '../../model/key.ts';
import { jsonText } from '../../model/visible.ts';
import { describe } from '../../planning/description.ts';
import type { Tool } from '../../planning/tools.ts';

const tool = z.strictObject({
  name: z.string().min(1),
  type: z.string().min(1),
  endpoint: z.url(),
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

/** One entry of `toolset.json`. */
export function toolJson(each: Tool): z.infer<typeof tool> {
  return {
    name: each.tool,
    type: each.type,
    endpoint: endpointUrl(each.endpoint),
    description: describe(each),
    ...clusterField(each),
    ...(each.namespace === undefined ? {} : { namespace: each.namespace }),
    metadata: { ...each.metadata },
  };
}

/** `toolset.json` of tools in the order in which they shall stand. */
export function toolsetJson(tools: readonly Tool[]): string {
  const document: z.infer<typeof toolsetJsonSchema> = { tools: tools.map(toolJson) };
  return `${jsonText(toolsetJsonSchema.parse(document), 2)}\n`;
}
