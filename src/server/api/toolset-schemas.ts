import * as z from 'zod';
import { condition } from '../backend-json.ts';
import { CLUSTER, flag, health, limit, name, PAGE, page, time } from '../schema-parts.ts';

const tool = z
  .object({
    name: z.string(),
    type: z.string(),
    endpoint: z.string(),
    description: z.string(),
    cluster: CLUSTER,
    namespace: z.string().optional(),
    metadata: z.record(z.string(), z.string()).optional(),
  })
  .describe('one entry of toolset.json');

const toolset = z.object({
  name: z.string(),
  type: z.string(),
  enabled: z.boolean().describe('false if overrides.yaml switches it off'),
  healthy: z.boolean().nullable().describe('null if unknown'),
  published: z.boolean().describe('whether it is in toolset.json now'),
  config: tool.nullable().describe('its entry in toolset.json, if published'),
  serviceEndpoint: z.string(),
  cluster: CLUSTER,
  namespace: z.string().nullable(),
  discoveredAt: time.nullable().describe('null for a tool that people added'),
  lastHealthCheck: time.nullable(),
  healthReason: z.string().nullable().describe('result of the last probe; null for a tool that people added'),
  healthSince: time.nullable().describe('when its health, or the reason for it, last changed'),
  backend: z.string().nullable().describe('id of its backend; null for a tool that people added'),
  conditions: z.array(condition).describe('conditions of its backend'),
});

export const toolsetsQuery = z.strictObject({
  enabled: flag.optional().describe('true: only enabled tools; false: only those that are switched off'),
  healthy: flag.optional().describe('true: only tools with a healthy backend; false: the others'),
  limit: limit.describe(`maximum number of tools in one response, 1 to ${PAGE}`),
  after: name.optional().describe('the last name on the previous page'),
});

export const toolsetsAnswer = z.object({
  toolsets: z.array(toolset),
  ...page,
  configMapVersion: z.string().nullable().describe('resourceVersion of the ConfigMap'),
});

export const toolsetParams = z.strictObject({ name: z.string().describe('name of the tool') });

export const toolsetAnswer = toolset.extend({
  healthHistory: z
    .array(z.object({ time, health, reason: z.string() }))
    .describe('changes of probe results, newest last'),
});

export const toolsetDocument = z.object({ tools: z.array(tool) }).describe('toolset.json as published');
