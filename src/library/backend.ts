import * as z from 'zod';
import type { Rules } from '../detection/rules.ts';
import { CERTAINTIES } from '../model/certainties.ts';
import {
  type Candidate,
  type DiscoveredService,
  endpointUrl,
  type Health,
  type Verdict,
} from '../model/discovery.ts';
import { endpointOfUrl } from '../model/endpoint-of-url.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import { portFault } from '../model/port-fault.ts';
import { issueMessage } from '../model/schema-words.ts';
import { InputError } from './input-error.ts';
import type { Backend, Certainty } from './types.ts';

/** HolmesGPT's chart labels its own MCP servers so, and lists them itself. */
const PART_OF = 'app.kubernetes.io/part-of';

const names = z.array(z.string());
/** The details of a candidate that rendering needs and users do not. */
const details = z.object({
  detector: z.string(),
  mode: z.enum(['streamable-http', 'sse']),
  ownersDescription: z.boolean(),
  created: z.string().optional(),
  partOf: z.string().optional(),
  samePods: names.optional(),
  sharesPods: names.optional(),
  targets: names.optional(),
  clusterIPs: z.record(z.string(), names).optional(),
  bundledWith: z.string().optional(),
  tenancy: z
    .union([z.object({ header: z.string() }), z.object({ path: z.string(), ids: names.readonly() })])
    .optional(),
});

const backend = z.object({
  name: z.string().min(1),
  namespace: z.string().min(1),
  tool: z.string().min(1),
  type: z.string().min(1),
  endpoint: z
    .url({
      protocol: /^(https?|tcp)$/,
      error: ({ input }) => portFault(String(input)) ?? 'is not an http, https or tcp URL',
    })
    .refine((text) => !text.includes('{{'), 'contains {{, but templates are not supported here'),
  certainty: z.enum(CERTAINTIES),
  evidence: z.array(z.object({ signal: z.string(), detail: z.string() })),
  description: z.string().min(1),
  alternates: names,
  health: z.enum(['healthy', 'unhealthy', 'unknown']),
  details,
});

/** A backend as the library's users see it. */
export function toBackend(candidate: Candidate): Backend {
  const { service, detector, mode, tenantDescription, samePods, sharesPods, targets, clusterIPs } = candidate;
  const { tenancy, bundledWith } = candidate;
  const all: z.infer<typeof details> = {
    detector,
    mode,
    ownersDescription: tenantDescription,
    ...(service.created === undefined ? {} : { created: service.created }),
    ...(Object.hasOwn(service.labels, PART_OF) ? { partOf: service.labels[PART_OF] } : {}),
    ...(samePods === undefined ? {} : { samePods: [...samePods] }),
    ...(sharesPods === undefined ? {} : { sharesPods: sharesPods.filter((name) => name !== service.name) }),
    ...(targets === undefined ? {} : { targets: [...targets] }),
    ...(tenancy === undefined ? {} : { tenancy }),
    ...(bundledWith === undefined ? {} : { bundledWith }),
    ...(clusterIPs === undefined
      ? {}
      : {
          clusterIPs: Object.fromEntries(Object.entries(clusterIPs).map(([name, ips]) => [name, [...ips]])),
        }),
  };
  return {
    name: service.name,
    namespace: service.namespace,
    tool: candidate.tool,
    type: candidate.type,
    endpoint: endpointUrl(candidate.endpoint),
    certainty: candidate.certainty as Certainty,
    evidence: candidate.evidence,
    description: candidate.description,
    alternates: candidate.alternates,
    health: 'unknown',
    details: all,
  };
}

const verdictOf = (health: Health): Verdict => ({
  health,
  authRequired: false,
  proof: 'unproven',
  reason: health === 'unknown' ? 'not probed' : 'the caller says so',
  steps: [],
});

/**
 * Converts a backend from `toBackend` to the form that rendering needs.
 * @param input what to call it in messages, such as `backends[3]`
 * @throws InputError that names each wrong field
 */
export function fromBackend(given: Backend, input: string, rules: Rules): DiscoveredService {
  const read = backend.safeParse(given, { error: issueMessage });
  if (!read.success) {
    const lines = read.error.issues.map(({ path, message }) => `${[input, ...path].join('.')}: ${message}`);
    throw new InputError(lines.join('\n'), input);
  }
  const { name, namespace, endpoint, health, evidence: _, details: more, ...plain } = read.data;
  const { detector, mode, ownersDescription, created, partOf, tenancy, bundledWith, ...pods } = more;
  const known = rules.byType.get(detector)?.detector;
  if (known === undefined)
    throw new InputError(
      `${input}: there is no detector ${detector}; pass the detectors that detect had`,
      input,
    );
  const place = endpointOfUrl(endpoint, known.mcp === true);
  return {
    ...plain,
    ...(pods as Pick<DiscoveredService, 'samePods' | 'sharesPods' | 'targets' | 'clusterIPs'>),
    service: {
      cluster: HOME_CLUSTER,
      namespace,
      name,
      labels: partOf === undefined ? {} : { [PART_OF]: partOf },
      annotations: {},
      selector: {},
      ports: [],
      type: 'ClusterIP',
      headless: false,
      ...(created === undefined ? {} : { created }),
    },
    detector,
    kind: known.description,
    tenantDescription: ownersDescription,
    endpoint: place,
    servicePort: place.port,
    mode,
    healthPath: undefined,
    evidence: given.evidence,
    fallbacks: [],
    mappings: known.outputs,
    mcp: known.mcp,
    tenancy,
    ...(bundledWith === undefined ? {} : { bundledWith }),
    verdict: verdictOf(health),
  };
}
