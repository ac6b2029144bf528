import { z } from 'zod';
import { type DiscoveredService, endpointUrl } from '../model/discovery.ts';
import { describe } from './description.ts';

const tool = z.strictObject({
  name: z.string().min(1),
  type: z.string().min(1),
  endpoint: z.url(),
  description: z.string().min(1),
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

/** `toolset.json` of services that are in the order in which their tools shall stand. */
export function toolsetJson(services: readonly DiscoveredService[]): string {
  const document: z.infer<typeof toolsetJsonSchema> = {
    tools: services.map((service) => ({
      name: service.tool,
      type: service.type,
      endpoint: endpointUrl(service.endpoint),
      description: describe(service),
      namespace: service.service.namespace,
      metadata: {
        service: service.service.name,
        certainty: service.certainty,
        ...(service.alternates.length === 0 ? {} : { alternates: service.alternates.join(',') }),
      },
    })),
  };
  return `${JSON.stringify(toolsetJsonSchema.parse(document), null, 2)}\n`;
}
