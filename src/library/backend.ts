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
import { DNS_LABEL } from '../model/dns-label.ts';
import { endpointOfUrl } from '../model/endpoint-of-url.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import { reportUnwritable, toolEndpoint, toolType } from '../model/overrides.ts';
import { oneLine } from '../model/text.ts';
import { shown } from '../model/visible.ts';
import { InputError } from './input-error.ts';
import { readAs } from './reading.ts';
import type { Backend, Certainty } from './types.ts';

/** Maximum characters of the name of a tool, as in `overrides.yaml`. */
const MAX_TOOL = 253;

/** HolmesGPT's chart labels its own MCP servers so, and lists them itself. */
const PART_OF = 'app.kubernetes.io/part-of';

/** Maximum items in a list of a backend. */
const MAX_ITEMS = 100_000;

/** A list. Its items are read only if there are not too many. */
const listOf = <T>(item: z.ZodType<T>) =>
  z
    .custom<unknown[]>(
      (given) => !Array.isArray(given) || given.length <= MAX_ITEMS,
      `must have at most ${MAX_ITEMS} items`,
    )
    .pipe(z.array(item));

const names = listOf(z.string());
const objectName = z.string().regex(DNS_LABEL, 'is not a name of Kubernetes, such as team-1');

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

const backend = z
  .object({
    name: objectName,
    namespace: objectName,
    tool: z
      .string()
      .min(1)
      .max(MAX_TOOL)
      .refine((name) => oneLine(name, MAX_TOOL) === name, 'is not one line without invisible characters'),
    type: toolType,
    endpoint: toolEndpoint,
    certainty: z.enum(CERTAINTIES),
    evidence: listOf(z.object({ signal: z.string(), detail: z.string() })),
    description: z.string().min(1),
    alternates: names,
    health: z.enum(['healthy', 'unhealthy', 'unknown']),
    details,
  })
  .superRefine((read, context) =>
    reportUnwritable(read, [], (path, message) => context.addIssue({ code: 'custom', path, message })),
  );

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
export function fromBackend(given: unknown, input: string, rules: Rules): DiscoveredService {
  const {
    name,
    namespace,
    endpoint,
    health,
    evidence,
    details: more,
    ...plain
  } = readAs(backend, given, input);
  const { detector, mode, ownersDescription, created, partOf, tenancy, bundledWith, ...pods } = more;
  const known = rules.byType.get(detector)?.detector;
  if (known === undefined)
    throw new InputError(
      `${input}: there is no detector ${shown(detector)}; pass the detectors that detect had`,
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
    evidence: evidence as Candidate['evidence'],
    fallbacks: [],
    mappings: known.outputs,
    mcp: known.mcp,
    tenancy,
    ...(bundledWith === undefined ? {} : { bundledWith }),
    verdict: verdictOf(health),
  };
}
