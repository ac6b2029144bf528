import * as z from 'zod';
import { APPROVAL_STATES } from '../model/discovery.ts';

/** Says of a text that it is a detector's type; the description of the API then lists these. */
export const KNOWN_TYPE = 'a type that a detector knows';

/** Most things in one page of an answer, and how many without being told. */
export const PAGE = 500;

const time = z.iso.datetime().describe('ISO 8601, in UTC');
const health = z.enum(['healthy', 'unhealthy', 'unknown']);
const name = z.string().min(1).max(253);
/** What a name of a Kubernetes namespace or Service looks like, as a pattern of JSON Schema. */
export const NAME_PATTERN = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';
const namespace = z.string().regex(new RegExp(NAME_PATTERN));
const flag = z.enum(['true', 'false']);

export const problem = z
  .object({
    type: z.string().describe('what kind of problem it is'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('what happened, and what to do'),
    instance: z.string().describe('path of the request'),
    request_id: z.string().describe('also in the header X-Request-ID and in the log'),
    code: z.string(),
    correlationId: z.string(),
    errors: z
      .array(
        z.object({ pointer: z.string().optional(), parameter: z.string().optional(), detail: z.string() }),
      )
      .optional()
      .describe('each thing that is wrong: a JSON pointer into the body, or the name of a parameter'),
  })
  .meta({
    description: 'an error, as RFC 9457 has it',
    examples: [
      {
        type: 'https://kubernaut.io/errors/invalid-request',
        title: 'The request is not valid',
        status: 400,
        detail: 'enabled is none of true, false',
        instance: '/api/v1/toolsets',
        request_id: '7b1f4a52-9d0f-4d2a-8f0e-6a3f5c1f2d11',
        code: 'INVALID_REQUEST',
        correlationId: '7b1f4a52-9d0f-4d2a-8f0e-6a3f5c1f2d11',
        errors: [{ parameter: 'enabled', detail: 'is none of true, false' }],
      },
    ],
  });

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
  limit: z
    .string()
    .regex(/^([1-9]\d?|[1-4]\d\d|500)$/, `is not a whole number from 1 to ${PAGE}`)
    .optional()
    .describe(`most toolsets of one answer, 1 to ${PAGE}`),
  after: name.optional().describe('the last name of the page before'),
});

const page = {
  total: z.int().describe('how many there are in all pages'),
  next: z.string().nullable().describe('path of the next page, where there is one'),
  lastDiscovery: time.nullable(),
};

export const toolsetParams = z.strictObject({ name: z.string().describe('of the tool') });

export const toolsetsAnswer = z.object({
  toolsets: z.array(toolset),
  ...page,
  configMapVersion: z.string().nullable().describe('resourceVersion of the ConfigMap'),
});

export const toolsetAnswer = toolset.extend({
  healthHistory: z
    .array(z.object({ time, health, reason: z.string() }))
    .describe('changes of what probes found, the newest last'),
});

export const servicesQuery = z.strictObject({
  namespace: namespace.optional().describe('those of this one'),
  type: name.optional().describe(KNOWN_TYPE),
  limit: toolsetsQuery.shape.limit.describe(`most backends of one answer, 1 to ${PAGE}`),
  after: name.optional().describe('NAMESPACE/NAME of the last one of the page before'),
});

const service = z.object({
  name: z.string(),
  namespace: z.string(),
  type: z.string(),
  endpoint: z.string(),
  health,
  authRequired: z.boolean(),
  reason: z.string(),
  certainty: z.string(),
  tool: z.string(),
  description: z.string(),
  alternates: z.array(z.string()),
  evidence: z.array(z.object({ signal: z.string(), detail: z.string() })),
  approval: z
    .enum(APPROVAL_STATES)
    .describe('whether it is trusted to be published; waiting: once a person approves it in overrides.yaml'),
  tools: z
    .array(z.object({ name: z.string(), readOnly: z.boolean().describe('by the word of the server') }))
    .optional()
    .describe('the tools of an MCP server, where they are known'),
  toolsTruncated: z
    .boolean()
    .optional()
    .describe('the server has more tools than these; explain shows up to 100'),
});

export const servicesAnswer = z.object({ services: z.array(service), ...page });

export const toolsetDocument = z
  .object({ tools: z.array(tool) })
  .describe('toolset.json, as it is published');

export const generateBody = z.strictObject({
  services: z
    .array(
      z.strictObject({
        name: namespace.describe('name of the Service'),
        namespace,
        type: name.describe(KNOWN_TYPE),
        endpoint: z
          .url({ protocol: /^https?$/ })
          .max(2000)
          .describe('its http or https URL'),
      }),
    )
    .max(1_000)
    .optional()
    .describe('those that are known now, without'),
});

const note = z.object({ where: z.string(), what: z.string(), fix: z.string().optional() });

export const generateAnswer = z.object({
  tools: z.int(),
  documents: z.object({ 'toolset.json': z.string(), 'custom_toolset.yaml': z.string() }),
  notes: z.array(note).describe('what was left out, and why'),
  waiting: z.array(z.string()).describe('NAMESPACE/NAME of the Services that wait for approval'),
});

export const DOCUMENT_KINDS = ['toolset-json', 'holmesgpt', 'overrides'] as const;

export const validateBody = z.strictObject({
  kind: z.enum(DOCUMENT_KINDS).describe('toolset.json, custom_toolset.yaml or overrides.yaml'),
  content: z
    .string()
    .max(256 * 1024)
    .describe('the text of the document'),
});

export const validateAnswer = z.object({
  valid: z.boolean().describe('whether there is no error; warnings are none'),
  more: z.int().describe('how many more errors and warnings there are than the 50 that are listed at most'),
  errors: z.array(
    z.object({
      pointer: z.string().describe('JSON pointer into the document'),
      line: z.int(),
      column: z.int(),
      detail: z.string(),
      level: z.enum(['error', 'warning']),
    }),
  ),
});

export const discoverQuery = z.strictObject({ wait: flag.optional().describe('answer when it is done') });

export const discoverBody = z
  .strictObject({
    namespaces: z.array(namespace).max(100).optional().describe('only backends of these namespaces'),
    serviceTypes: z.array(name).max(100).optional().describe('only backends of these types'),
    force: z
      .boolean()
      .optional()
      .describe('true, also without it: ask healthy backends too; false: only those that are not healthy'),
  })
  .describe('which backends are asked anew; all without');

export const jobParams = z.strictObject({ id: z.string().describe('jobId of the answer to POST /discover') });

export const jobAnswer = z.object({
  jobId: z.uuid(),
  status: z.enum(['running', 'completed', 'failed']),
  message: z.string(),
  startedAt: time,
  completedAt: time.nullable(),
  estimatedCompletion: time.nullable(),
  services: z.int().nullable().describe('how many backends there are then; null until it is completed'),
  asked: z.int().nullable().describe('how many known backends were asked anew'),
  healthy: z.int().nullable().describe('how many of those that the request is about are healthy then'),
  unhealthy: z.int().nullable().describe('how many of them are unhealthy'),
  unknown: z
    .int()
    .nullable()
    .describe('of how many of them nothing is known, as while no backend at all can be reached'),
  changed: z.int().nullable().describe('of how many of them the health is another than before'),
});

export const statisticsAnswer = z.object({
  version: z.string(),
  startedAt: time,
  leader: z.boolean().describe('whether this replica writes'),
  discovery: z.object({
    cycles: z.int(),
    lastDiscovery: time.nullable(),
    lastDurationSeconds: z.number().nullable(),
    servicesExamined: z.int(),
    backends: z.int(),
    byType: z.record(z.string(), z.object({ healthy: z.int(), unhealthy: z.int(), unknown: z.int() })),
    problems: z.array(note),
  }),
  toolset: z.object({
    tools: z.int(),
    configMapVersion: z.string().nullable(),
    lastPublished: time.nullable(),
    publications: z.int(),
    failures: z.int(),
    driftReverted: z.int(),
    problems: z.array(note),
  }),
});

export const reloadAnswer = z.object({
  result: z.enum(['unchanged', 'applied']),
  changes: z.array(z.string()).describe('what is other than before'),
});

const dependency = z.object({
  status: z.enum(['ok', 'failing', 'waiting']),
  since: time,
  error: z
    .string()
    .optional()
    .describe('the last error, while it fails; only for a client whose token may get statistics'),
});

export const readyAnswer = z.object({
  status: z.enum(['ready', 'not_ready', 'stopping']),
  checks: z.object({ kubernetes: dependency, configmap: dependency, discovery: dependency }),
});

export const healthAnswer = z.object({ status: z.literal('ok') });
