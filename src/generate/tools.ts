import type { HolmesEntry } from '../model/detector.ts';
import type { DiscoveredService, Endpoint, Problem } from '../model/discovery.ts';
import type { Overrides, ToolOverride } from '../model/overrides.ts';

/** What is known of a kind of backend, for tools that people add. */
export interface ToolKind {
  readonly description: string;
  readonly holmes: HolmesEntry;
}

/** A tool as it will be written: a discovered service, or one that a person added, with a person's changes. */
export interface Tool
  extends Pick<
    DiscoveredService,
    'tool' | 'type' | 'detector' | 'kind' | 'endpoint' | 'mode' | 'holmes' | 'verdict' | 'tenantDescription'
  > {
  readonly description: string;
  readonly namespace: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** When the Service behind it was created, RFC 3339. */
  readonly created?: string | undefined;
  /** `namespace/service` of the Service behind it; for a tool that a person added its name, without dots. */
  readonly key: string;
  /** A person added it, and nobody asked it anything. */
  readonly added?: true;
}

const PORTS = { http: 80, https: 443 } as const;

/** The endpoint of a URL that the schema of overrides let through. */
function endpointOf(text: string): Endpoint {
  const url = new URL(text);
  const scheme = url.protocol.replace(':', '') as Endpoint['scheme'];
  return {
    scheme,
    host: url.hostname,
    port: url.port !== '' || scheme === 'tcp' ? Number(url.port) : PORTS[scheme],
    path: url.pathname.replace(/\/+$/, ''),
  };
}

/** A discovered service as a tool, with nothing changed. */
export function discoveredTool(service: DiscoveredService): Tool {
  const { namespace, name } = service.service;
  return {
    ...service,
    namespace,
    key: `${namespace}/${name}`,
    created: service.service.created,
    metadata: {
      service: name,
      certainty: service.certainty,
      ...(service.alternates.length === 0 ? {} : { alternates: service.alternates.join(',') }),
    },
  };
}

function changed(tool: Tool, override: ToolOverride, kinds: ReadonlyMap<string, ToolKind>): Tool {
  const kind = override.type === undefined ? undefined : kinds.get(override.type);
  return {
    ...tool,
    ...(override.type === undefined ? {} : { type: override.type }),
    ...(kind === undefined || override.type === undefined
      ? {}
      : { detector: override.type, kind: kind.description, holmes: kind.holmes }),
    ...(override.endpoint === undefined ? {} : { endpoint: endpointOf(override.endpoint) }),
    ...(override.description === undefined
      ? {}
      : { description: override.description, tenantDescription: false }),
    ...(override.namespace === undefined ? {} : { namespace: override.namespace }),
    metadata: { ...tool.metadata, ...override.metadata },
  };
}

function added(name: string, override: ToolOverride, kinds: ReadonlyMap<string, ToolKind>): Tool | string {
  const { type, endpoint, description } = override;
  const missing = Object.entries({ type, endpoint, description }).flatMap(([field, value]) =>
    value === undefined ? [field] : [],
  );
  if (type === undefined || endpoint === undefined || description === undefined)
    return `no tool of this name was discovered, and to add one it lacks ${missing.join(', ')}`;
  const kind = kinds.get(type) ?? kinds.get('custom');
  return {
    tool: name,
    type,
    detector: kinds.has(type) ? type : 'custom',
    kind: kind?.description ?? description,
    endpoint: endpointOf(endpoint),
    mode: endpoint.replace(/\/+$/, '').endsWith('/sse') ? 'sse' : 'streamable-http',
    holmes: kind?.holmes ?? { none: 'the agent has no entry for tools of this type' },
    verdict: {
      health: 'unknown',
      authRequired: false,
      proof: 'unproven',
      reason: 'added by a person',
      steps: [],
    },
    description,
    tenantDescription: false,
    namespace: override.namespace,
    metadata: { ...override.metadata },
    added: true,
    key: name.replaceAll('.', '-'),
  };
}

/**
 * The tools to write: what was discovered and is not known to be unhealthy, with what people changed, left out and
 * added. A field that a person gave wins over the generated one. Pure; in the order of the tools' names.
 */
export function toolsOf(
  found: readonly DiscoveredService[],
  overrides: Overrides,
  kinds: ReadonlyMap<string, ToolKind>,
): { readonly tools: readonly Tool[]; readonly notes: readonly Problem[] } {
  const notes: Problem[] = [];
  const tools = new Map<string, Tool>();
  const known = new Set(found.map(({ tool }) => tool));
  for (const service of found) {
    if (service.verdict.health === 'unhealthy') continue;
    tools.set(service.tool, discoveredTool(service));
  }
  for (const [name, override] of Object.entries(overrides.tools)) {
    const tool = tools.get(name);
    if (override.enabled === false) tools.delete(name);
    else if (tool !== undefined) tools.set(name, changed(tool, override, kinds));
    else {
      const own = added(name, override, kinds);
      if (typeof own !== 'string') tools.set(name, own);
      else if (!known.has(name)) notes.push({ where: `overrides.yaml, tool ${name}`, what: own });
    }
  }
  const sorted = [...tools.values()].sort((a, b) => (a.tool < b.tool ? -1 : a.tool > b.tool ? 1 : 0));
  return { tools: sorted, notes };
}
