import * as z from 'zod';
import { flag, health, limit, name, PAGE, page, time } from '../schema-parts.ts';

const tool = z
  .object({
    name: z.string(),
    type: z.string(),
    endpoint: z.string(),
    description: z.string(),
    namespace: z.string().optional(),
    metadata: z.record(z.string(), z.string()).optional(),
  })
  .describe('one entry of toolset.json');

const toolset = z.object({
  name: z.string(),
  type: z.string(),
  enabled: z.boolean().describe('false where overrides.yaml switches it off'),
  healthy: z.boolean().nullable().describe('null where that is not known'),
  published: z.boolean().describe('whether it stands in toolset.json now'),
  config: tool.nullable().describe('its entry of toolset.json, where it is published'),
  serviceEndpoint: z.string(),
  namespace: z.string().nullable(),
  discoveredAt: time.nullable().describe('null for a tool that people added'),
  lastHealthCheck: time.nullable(),
  healthReason: z
    .string()
    .nullable()
    .describe('what the last probe found; null for a tool that people added'),
  healthSince: time.nullable().describe('when its health, or the reason for it, changed last'),
});

export const toolsetsQuery = z.strictObject({
  enabled: flag.optional().describe('true: those that nobody switched off; false: the others'),
  healthy: flag.optional().describe('true: those whose backend is healthy; false: the others'),
  limit: limit.describe(`most toolsets of one answer, 1 to ${PAGE}`),
  after: name.optional().describe('the last name of the page before'),
});

export const toolsetsAnswer = z.object({
  toolsets: z.array(toolset),
  ...page,
  configMapVersion: z.string().nullable().describe('resourceVersion of the ConfigMap'),
});

export const toolsetParams = z.strictObject({ name: z.string().describe('of the tool') });

export const toolsetAnswer = toolset.extend({
  healthHistory: z
    .array(z.object({ time, health, reason: z.string() }))
    .describe('changes of what probes found, the newest last'),
});

export const toolsetDocument = z
  .object({ tools: z.array(tool) })
  .describe('toolset.json, as it is published');
