import { compareText } from '../model/compare.ts';
import type { Mappings } from '../model/detector.ts';
import { type DiscoveredService, lastingAlternates, type Problem } from '../model/discovery.ts';
import { endpointOfUrl } from '../model/endpoint-of-url.ts';
import { displayKey, HOME_CLUSTER } from '../model/key.ts';
import {
  addressedService,
  isWholeTool,
  type ListedServer,
  type Overrides,
  type ToolOverride,
  type WholeTool,
} from '../model/overrides.ts';
import { HOSTS } from '../model/published-tools.ts';
import { defaultName, type ServiceKey, serviceKey, toolKey } from '../model/service.ts';
import type { Tenancy } from '../model/tenants.ts';
import { withoutTrailing } from '../model/trailing.ts';
import { backendKeys, type Change, type OwnTool, resolveOverrides } from './override-keys.ts';
import { ownName } from './own-names.ts';
import type { PublishedTypes } from './published-types.ts';
import { serverHosts } from './server-hosts.ts';
import { switchedOffBeside } from './switched-off.ts';

/** A kind of backend, for users' own tools. */
export interface ToolKind {
  readonly description: string;
  readonly mappings: Mappings;
  readonly mcp?: boolean | undefined;
  readonly tenancy?: Tenancy | undefined;
}

/** A tool to publish: a discovered service with the user's changes, or a user's own tool. */
export interface Tool
  extends Pick<
    DiscoveredService,
    | 'tool'
    | 'type'
    | 'detector'
    | 'kind'
    | 'endpoint'
    | 'mode'
    | 'mappings'
    | 'mcp'
    | 'verdict'
    | 'tenantDescription'
    | 'tenancy'
    | 'bundledWith'
  > {
  readonly description: string;
  /** The cluster of the Service behind it. */
  readonly cluster: string;
  readonly namespace: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** When the Service behind it was created, RFC 3339. */
  readonly created?: string | undefined;
  /** `toolKey` of the Service behind it. For a user's own tool: its name, without dots. */
  readonly key: string;
  /** It is a user's own tool, which is not probed. */
  readonly added?: true;
  /** The Services that lead to it. Empty if overrides set its endpoint. */
  readonly members: readonly ServiceKey[];
  /** A user added or changed it, so no limit removes it. */
  readonly pinned: boolean;
  /** The ids of the tenants with which to use it. */
  readonly tenants?: readonly string[];
}

/** Converts a discovered service to a tool. */
export function discoveredTool(service: DiscoveredService): Tool {
  const { namespace, name } = service.service;
  const alternates = lastingAlternates(service);
  return {
    ...service,
    cluster: service.service.cluster,
    namespace,
    key: toolKey(service.service),
    members: backendKeys(service),
    created: service.service.created,
    pinned: false,
    metadata: {
      service: name,
      certainty: service.certainty,
      ...(service.service.created === undefined ? {} : { created: service.service.created }),
      ...(service.bundledWith === undefined ? {} : { bundledWith: service.bundledWith }),
      ...(alternates.length === 0 ? {} : { alternates: alternates.join(',') }),
      ...(service.mcp === true ? { [HOSTS]: serverHosts(service).join(',') } : {}),
    },
  };
}

/** The fields of a user's own tool. None of them comes from a tenant. */
type Personal = Pick<WholeTool, 'type' | 'endpoint' | 'description' | 'namespace' | 'metadata'>;

function personalTool(
  { type, endpoint, description, namespace, metadata }: Personal,
  name: string,
  key: string,
  known: ToolKind | undefined,
  kinds: ReadonlyMap<string, ToolKind>,
): Tool {
  const kind = kinds.get(type) ?? known ?? kinds.get('custom');
  return {
    tool: name,
    type,
    detector: kinds.has(type) ? type : 'custom',
    kind: kind?.description ?? description,
    endpoint: endpointOfUrl(endpoint, kind?.mcp === true),
    mode: withoutTrailing(endpoint, '/').endsWith('/sse') ? 'sse' : 'streamable-http',
    mappings: kind?.mappings ?? {},
    mcp: kind?.mcp,
    tenancy: kind?.tenancy,
    verdict: {
      health: 'unknown',
      authRequired: false,
      proof: 'unproven',
      reason: 'its endpoint is set in overrides.yaml',
      steps: [],
    },
    description,
    tenantDescription: false,
    cluster: HOME_CLUSTER,
    namespace,
    metadata: { ...metadata },
    key,
    members: [],
    created: undefined,
    pinned: true,
    added: true,
  };
}

/**
 * Applies an override to a discovered tool. If it sets the endpoint, the tool is the user's own: texts of the Service's
 * owner and responses of the Service do not apply to it.
 */
function applyOverride(tool: Tool, { key, override }: Change, kinds: ReadonlyMap<string, ToolKind>): Tool {
  const { type = tool.type, endpoint, description } = override;
  if (endpoint !== undefined) {
    const own = {
      ...override,
      type,
      endpoint,
      description: description ?? kinds.get(type)?.description ?? tool.kind,
    };
    const known =
      type === tool.type
        ? {
            description: tool.kind,
            mappings: tool.mappings,
            mcp: tool.mcp,
            tenancy: headerOnly(tool.tenancy),
          }
        : undefined;
    return personalTool(own, ownName(key), toSlashedKey(key), known, kinds);
  }
  const kind = override.type === undefined ? undefined : kinds.get(override.type);
  return {
    ...tool,
    type,
    ...(kind === undefined
      ? {}
      : {
          detector: type,
          kind: kind.description,
          mappings: kind.mappings,
          mcp: kind.mcp,
          tenancy: kind.tenancy,
        }),
    ...(description === undefined ? {} : { description, tenantDescription: false }),
    ...(override.namespace === undefined ? {} : { namespace: override.namespace }),
    metadata: { ...tool.metadata, ...override.metadata },
    pinned: true,
  };
}

/** At another address, the tenant may not be part of the path. */
const headerOnly = (tenancy: Tenancy | undefined): Tenancy | undefined =>
  tenancy !== undefined && 'header' in tenancy ? tenancy : undefined;

/** Converts both forms of a Service's key to `namespace/service`. */
function toSlashedKey(key: string): string {
  const address = addressedService(key);
  return address === undefined ? key : displayKey(address);
}

/**
 * Unique keys without dots for users' own tools, since some agents refuse a dot in a key. They depend on overrides only,
 * so Services that come and go cannot change them.
 * @param servers MCP servers that users list for an agent
 */
function ownKeys(
  own: readonly OwnTool[],
  servers: readonly ListedServer[],
  notes: Problem[],
): Map<OwnTool, string> {
  const listed = new Set(servers.map(({ key }) => key));
  const taken = new Set(own.map(({ key }) => key));
  const keys = new Map<OwnTool, string>();
  for (const tool of own) {
    const dashed = tool.key.replaceAll('.', '-');
    // Use the form of the key that the user has in the list.
    const isSlashed = listed.has(toSlashedKey(tool.key)) && !listed.has(dashed);
    const wanted = isSlashed ? toSlashedKey(tool.key) : dashed;
    let key = wanted;
    if (tool.key !== wanted) for (let next = 2; taken.has(key); next++) key = `${wanted}-${next}`;
    if (key !== wanted)
      notes.push({
        where: `overrides.yaml, tool ${tool.key}`,
        what: `is called ${key} in the agent's file, whose keys cannot contain a dot, because another tool there is called ${wanted}`,
        fix: 'give one of them another name',
      });
    taken.add(key);
    keys.set(tool, key);
  }
  return keys;
}

/** The tools to publish, and what is not as somebody may expect. */
interface ToolsAndNotes {
  readonly tools: readonly Tool[];
  readonly notes: readonly Problem[];
  /** The services that are no tools only because they are unhealthy. */
  readonly unhealthy: readonly DiscoveredService[];
}

/**
 * The tools to publish, sorted by name: discovered services that are not unhealthy, with overrides applied, and users' own
 * tools. Overrides win over generated fields. Pure.
 * @param published types of published tools, which tools with a URL from overrides keep
 * @param held services that may not become tools, but that an override may replace with a user's own tool
 */
export function toolsOf(
  found: readonly DiscoveredService[],
  overrides: Overrides,
  kinds: ReadonlyMap<string, ToolKind>,
  held: readonly DiscoveredService[] = [],
  published: PublishedTypes = new Map(),
): ToolsAndNotes {
  const descriptionOf = (type: string): string | undefined =>
    (kinds.get(type) ?? kinds.get('custom'))?.description;
  const types = { published, descriptionOf };
  const { changes, own, notes: resolveNotes } = resolveOverrides([...found, ...held], overrides, types);
  const notes: Problem[] = [...resolveNotes];
  const reserved = new Set(own.map(({ name }) => name.toLowerCase()));
  const waiting = new Set(held);
  const offBeside = switchedOffBeside([...found, ...held], overrides);
  const tools: Tool[] = [];
  const unhealthy: DiscoveredService[] = [];
  const added = [...own];
  for (const service of [...found, ...held]) {
    const change = changes.get(serviceKey(service.service));
    if (change?.override.enabled === false) continue;
    if (change !== undefined && change.isCompleted !== true && isWholeTool(change.override)) {
      added.push({ ...change, override: change.override, name: ownName(change.key) });
      continue;
    }
    const isOwn = change?.override.endpoint !== undefined;
    const off = isOwn ? undefined : offBeside(service);
    if (off !== undefined) {
      const key = displayKey(service.service);
      notes.push({
        where: `Service ${key}`,
        what: `is left out: ${off}`,
        fix: `if you want it, write enabled: true under tools, ${key}`,
      });
      continue;
    }
    if (service.verdict.health === 'unhealthy' && !isOwn) {
      if (!waiting.has(service)) unhealthy.push(service);
      continue;
    }
    if (waiting.has(service) && change?.isCompleted !== true) {
      if (isOwn) notes.push(untypedNote(service));
      continue;
    }
    const named = discoveredTool(service);
    // A user's own tool replaces a tool of another cluster with the same name.
    if (service.service.cluster !== HOME_CLUSTER && reserved.has(defaultName(service.service))) continue;
    const tool = reserved.has(named.tool.toLowerCase())
      ? { ...named, tool: defaultName(service.service) }
      : named;
    tools.push(change === undefined || isEmpty(change.override) ? tool : applyOverride(tool, change, kinds));
  }
  const written = added.filter(({ isCompleted }) => isCompleted !== true);
  const keys = ownKeys(written, overrides.mentions.servers, notes);
  for (const each of added) {
    if (each.override.enabled === false) continue;
    tools.push(
      personalTool(each.override, each.name, keys.get(each) ?? toSlashedKey(each.key), undefined, kinds),
    );
  }
  return { tools: tools.sort((a, b) => compareText(a.tool, b.tool)), notes, unhealthy };
}

/** The note for a URL in overrides whose type is known only from a Service that is not approved. */
const untypedNote = ({ service, type }: DiscoveredService): Problem => ({
  where: `overrides.yaml, tool ${displayKey(service)}`,
  what: `has a URL and is not published: its type is not known, since its Service may not be published as ${type}`,
  fix: 'give it a type, for example type: loki',
});

const isEmpty = (override: ToolOverride): boolean => Object.keys(override).length === 0;
