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
  .describe('One entry of toolset.json.');

const toolset = z.object({
  name: z.string(),
  type: z.string(),
  enabled: z.boolean().describe('false if overrides.yaml disables the tool.'),
  healthy: z.boolean().nullable().describe('null if unknown.'),
  published: z
    .boolean()
    .describe(
      'Whether any published document contains the tool. toolset.json contains all of them; documents says which others do.',
    ),
  documents: z
    .record(z.string(), z.boolean())
    .nullable()
    .describe(
      'Whether each published document contains the tool, by name; null on a replica that does not lead, because only the leader knows.',
    ),
  config: tool.nullable().describe('The entry in toolset.json; null if the tool is not published.'),
  serviceEndpoint: z.string(),
  cluster: CLUSTER,
  namespace: z.string().nullable(),
  discoveredAt: time.nullable().describe('null for a tool that overrides.yaml adds.'),
  lastHealthCheck: time.nullable(),
  healthReason: z
    .string()
    .nullable()
    .describe('Result of the last probe; null for a tool that overrides.yaml adds.'),
  healthSince: time.nullable().describe('When the health, or the reason for it, last changed.'),
  backend: z.string().nullable().describe('ID of the backend; null for a tool that overrides.yaml adds.'),
  conditions: z.array(condition).describe('Conditions of the backend.'),
});

export const toolsetsQuery = z.strictObject({
  enabled: flag.optional().describe('true: only enabled tools; false: only disabled ones.'),
  healthy: flag.optional().describe('true: only tools with a healthy backend; false: only the others.'),
  limit: limit.describe(`Maximum number of tools in the response, 1 to ${PAGE} (the default).`),
  after: name.optional().describe('Name of the last tool on the previous page.'),
});

export const toolsetsAnswer = z.object({
  toolsets: z.array(toolset),
  ...page,
  configMapVersion: z.string().nullable().describe('resourceVersion of the ConfigMap.'),
});

export const toolsetParams = z.strictObject({ name: z.string().describe('Name of the tool.') });

export const toolsetAnswer = toolset.extend({
  healthHistory: z
    .array(z.object({ time, health, reason: z.string() }))
    .describe('Changes of the health, newest last.'),
});

export const toolsetDocument = z.object({ tools: z.array(tool) }).describe('toolset.json as published.');
