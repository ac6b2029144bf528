import { isDeepStrictEqual } from 'node:util';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Generated, Toolset } from '../model/documents.ts';
import { endpointOfUrl } from '../model/endpoint-of-url.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import type { Tenancy } from '../model/tenants.ts';
import { type GenerateOptions, generate } from '../outputs/generate.ts';
import type { Outputs } from '../outputs/outputs.ts';
import type { OutputSettings } from '../outputs/registry.ts';
import { TENANT_HEADER, TENANT_IDS, TENANT_PATH } from '../planning/tenants.ts';
import type { ToolKind } from '../planning/tools.ts';

/** Discovered services by the names of their published tools, as of the publication. */
export type KnownServices = ReadonlyMap<string, DiscoveredService>;

/** How requests name a tenant, from the metadata of a published tool. */
function publishedTenancy(
  { [TENANT_PATH]: path, [TENANT_IDS]: ids }: PublishedTool['metadata'],
  usual: Tenancy | undefined,
): Tenancy | undefined {
  return path === undefined || ids === undefined ? usual : { path, ids: ids.split(',') };
}

/** Reconstructs the discovered service of a published tool. */
function toPublishedService(tool: PublishedTool, kinds: ReadonlyMap<string, ToolKind>): DiscoveredService {
  const { name, type, endpoint, description, namespace = '', metadata } = tool;
  const kind = kinds.get(type) ?? kinds.get('custom');
  return {
    service: {
      cluster: tool.cluster ?? HOME_CLUSTER,
      namespace,
      name: metadata.service ?? name,
      labels: {},
      annotations: {},
      selector: {},
      ports: [],
      type: 'ClusterIP',
      headless: false,
      ...(metadata.created === undefined ? {} : { created: metadata.created }),
    },
    tool: name,
    type,
    detector: kinds.has(type) ? type : 'custom',
    kind: kind?.description ?? description,
    description,
    // The published description already has its final text.
    tenantDescription: false,
    endpoint: endpointOfUrl(endpoint, kind?.mcp === true),
    servicePort: 0,
    mode: endpoint.endsWith('/sse') ? 'sse' : 'streamable-http',
    healthPath: undefined,
    certainty: (metadata.certainty ?? 'name') as DiscoveredService['certainty'],
    evidence: [],
    alternates: metadata.alternates?.split(',') ?? [],
    fallbacks: [],
    mappings: kind?.mappings ?? {},
    mcp: kind?.mcp,
    ...(metadata.bundledWith === undefined ? {} : { bundledWith: metadata.bundledWith }),
    tenancy: publishedTenancy(metadata, kind?.tenancy),
    verdict: {
      health: 'unknown',
      authRequired: false,
      ...(metadata[TENANT_HEADER] === undefined ? {} : { tenantRequired: true }),
      proof: 'unproven',
      reason: 'held',
      steps: [],
    },
  };
}

/**
 * Reconstructs the services of some published tools approximately: their descriptions may differ, and more of their tools
 * may need approval. That is better than holding all other changes too.
 */
export function approximateServices(
  published: readonly PublishedTool[],
  tools: readonly string[],
  kinds: ReadonlyMap<string, ToolKind>,
): KnownServices {
  const wanted = new Set(tools);
  return new Map(
    published
      .filter(({ name, endpoint }) => wanted.has(name) && URL.canParse(endpoint))
      .map((tool) => [tool.name, toPublishedService(tool, kinds)]),
  );
}

/**
 * Reconstructs the services of published tools; `undefined` unless generating with them gives exactly the published
 * documents.
 */
export function reconstructServices(
  published: Toolset,
  options: GenerateOptions,
  outputs: Outputs<OutputSettings>,
): KnownServices | undefined {
  try {
    const services = published.tools
      .filter(({ metadata }) => metadata.service !== undefined)
      .map((tool) => toPublishedService(tool, options.kinds));
    if (!isDeepStrictEqual(generate(services, options, outputs).documents, published.documents))
      return undefined;
    return new Map(services.map((service) => [service.tool, service]));
  } catch {
    // Documents of others, or of another version.
    return undefined;
  }
}

/**
 * Generates documents while tools are held: held tools as they were published, everything else as discovered.
 * @returns `undefined` if the services of held tools are unknown
 */
export function generateWithHeld(
  held: readonly string[],
  found: readonly DiscoveredService[],
  known: KnownServices | undefined,
  options: GenerateOptions,
  outputs: Outputs<OutputSettings>,
): { readonly generated: Generated; readonly services: readonly DiscoveredService[] } | undefined {
  const kept = held.map((tool) => known?.get(tool));
  if (!kept.every((service) => service !== undefined)) return undefined;
  const names = new Set(held);
  const services = [...found.filter(({ tool }) => !names.has(tool)), ...kept];
  const generated = generate(services, options, outputs);
  return { generated, services };
}
