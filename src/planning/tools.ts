import { compareText } from '../model/compare.ts';
import type { Mappings } from '../model/detector.ts';
import type { DiscoveredService, Endpoint, Problem } from '../model/discovery.ts';
import { displayKey, HOME_CLUSTER } from '../model/key.ts';
import {
  addressedService,
  isWholeTool,
  type Overrides,
  type ToolOverride,
  type WholeTool,
} from '../model/overrides.ts';
import { HOSTS } from '../model/published-tools.ts';
import { defaultName, type ServiceKey, serviceKey, toolKey } from '../model/service.ts';
import { backendKeys, type Change, type OwnTool, resolveOverrides } from './override-keys.ts';
import type { PublishedTypes } from './published-types.ts';
import { serverHosts } from './server-hosts.ts';
import { switchedOffBeside } from './switched-off.ts';

/** What is known of a kind of backend, for tools that people add. */
export interface ToolKind {
  readonly description: string;
  readonly mappings: Mappings;
  readonly mcp?: boolean | undefined;
}

/** A tool as it will be written: a discovered service, or one that a person added, with a person's changes. */
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
  > {
  readonly description: string;
  /** The cluster of the Service behind it. */
  readonly cluster: string;
  readonly namespace: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** When the Service behind it was created, RFC 3339. */
  readonly created?: string | undefined;
  /** `toolKey` of the Service behind it; for a tool that a person added its name, without dots. */
  readonly key: string;
  /** A person added it, and nobody asked it anything. */
  readonly added?: true;
  /** The Services that lead to it; none where its endpoint is a person's. */
  readonly members: readonly ServiceKey[];
  /** Those of them that lead to every Pod that the chosen one leads to, as people write them. */
  readonly samePods: readonly string[];
  /** A person added or changed it, so no limit takes it away. */
  readonly pinned: boolean;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** The endpoint of a URL that the schema of overrides let through. */
function endpointOf(text: string): Endpoint {
  const url = new URL(text);
  return {
    scheme: url.protocol.replace(':', '') as Endpoint['scheme'],
    host: url.hostname,
    port: Number(url.port || DEFAULT_PORTS[url.protocol]),
    path: url.pathname.replace(/\/+$/, ''),
  };
}

/** A discovered service as a tool, with nothing changed. */
export function discoveredTool(service: DiscoveredService): Tool {
  const { namespace, name } = service.service;
  return {
    ...service,
    cluster: service.service.cluster,
    namespace,
    key: toolKey(service.service),
    members: backendKeys(service),
    samePods: (service.samePods ?? []).map((each) => toolKey({ ...service.service, name: each })),
    created: service.service.created,
    pinned: false,
    metadata: {
      service: name,
      certainty: service.certainty,
      ...(service.service.created === undefined ? {} : { created: service.service.created }),
      ...(service.alternates.length === 0 ? {} : { alternates: service.alternates.join(',') }),
      ...(service.mcp === true ? { [HOSTS]: serverHosts(service).join(',') } : {}),
    },
  };
}

/** The fields of a tool that is a person's own: nothing in them comes from a tenant. */
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
    endpoint: endpointOf(endpoint),
    mode: endpoint.replace(/\/+$/, '').endsWith('/sse') ? 'sse' : 'streamable-http',
    mappings: kind?.mappings ?? {},
    mcp: kind?.mcp,
    verdict: {
      health: 'unknown',
      authRequired: false,
      proof: 'unproven',
      reason: 'its endpoint was given by a person',
      steps: [],
    },
    description,
    tenantDescription: false,
    cluster: HOME_CLUSTER,
    namespace,
    metadata: { ...metadata },
    key,
    members: [],
    samePods: [],
    created: undefined,
    pinned: true,
    added: true,
  };
}

/**
 * What a discovered tool becomes by a person's change. With an endpoint of theirs it is their tool: what the Service's
 * owner says, and what the Service answers, is of another place.
 */
function changed(tool: Tool, { key, override }: Change, kinds: ReadonlyMap<string, ToolKind>): Tool {
  const { type = tool.type, endpoint, description } = override;
  if (endpoint !== undefined) {
    const own = {
      ...override,
      type,
      endpoint,
      description: description ?? kinds.get(type)?.description ?? tool.kind,
    };
    const known =
      type === tool.type ? { description: tool.kind, mappings: tool.mappings, mcp: tool.mcp } : undefined;
    return personalTool(own, nameOf(key), slashed(key), known, kinds);
  }
  const kind = override.type === undefined ? undefined : kinds.get(override.type);
  return {
    ...tool,
    type,
    ...(kind === undefined
      ? {}
      : { detector: type, kind: kind.description, mappings: kind.mappings, mcp: kind.mcp }),
    ...(description === undefined ? {} : { description, tenantDescription: false }),
    ...(override.namespace === undefined ? {} : { namespace: override.namespace }),
    metadata: { ...tool.metadata, ...override.metadata },
    pinned: true,
  };
}

/** What a tool of a person's is called: `service.namespace` of either form of it. */
function nameOf(key: string): string {
  const address = addressedService(key);
  return address === undefined ? key : defaultName(address);
}

/** `namespace/service` of either form of it. */
function slashed(key: string): string {
  const address = addressedService(key);
  return address === undefined ? key : displayKey(address);
}

/**
 * The keys of people's own tools in `mcp_servers`, where none may hold a dot: each has one of its own. They follow from what
 * people wrote alone, so that no Service that comes or goes changes what else people wrote is for.
 * @param servers what people wrote under `mcp_servers`
 */
function ownKeys(own: readonly OwnTool[], servers: object, notes: Problem[]): Map<OwnTool, string> {
  const taken = new Set(own.map(({ key }) => key));
  const keys = new Map<OwnTool, string>();
  for (const tool of own) {
    const dashed = tool.key.replaceAll('.', '-');
    // Whichever of its two keys the person uses under mcp_servers is the one.
    const isSlashed = Object.hasOwn(servers, slashed(tool.key)) && !Object.hasOwn(servers, dashed);
    const wanted = isSlashed ? slashed(tool.key) : dashed;
    let key = wanted;
    if (tool.key !== wanted) for (let next = 2; taken.has(key); next++) key = `${wanted}-${next}`;
    if (key !== wanted)
      notes.push({
        where: `overrides.yaml, tool ${tool.key}`,
        what: `is called ${key} in custom_toolset.yaml, because another tool is already ${wanted} there and keys cannot contain a dot`,
        fix: 'give one of them another name',
      });
    taken.add(key);
    keys.set(tool, key);
  }
  return keys;
}

/**
 * The tools to write: what was discovered and is not known to be unhealthy, with what people changed, left out and
 * added. A field that a person gave wins over the generated one. Pure; in the order of the tools' names.
 * @param published types of tools with a person's URL stay as they are published
 * @param held services that may not become tools: a person may address one, and put a whole tool of theirs in its place
 */
export function toolsOf(
  found: readonly DiscoveredService[],
  overrides: Overrides,
  kinds: ReadonlyMap<string, ToolKind>,
  held: readonly DiscoveredService[] = [],
  published: PublishedTypes = new Map(),
): { readonly tools: readonly Tool[]; readonly notes: readonly Problem[] } {
  const descriptionOf = (type: string): string | undefined =>
    (kinds.get(type) ?? kinds.get('custom'))?.description;
  const types = { published, descriptionOf };
  const { changes, own, notes: told } = resolveOverrides([...found, ...held], overrides, types);
  const notes: Problem[] = [...told];
  const reserved = new Set(own.map(({ name }) => name.toLowerCase()));
  const waiting = new Set(held);
  const offBeside = switchedOffBeside([...found, ...held], overrides);
  const tools: Tool[] = [];
  const added = [...own];
  for (const service of [...found, ...held]) {
    const change = changes.get(serviceKey(service.service));
    if (change?.override.enabled === false) continue;
    if (change !== undefined && change.isCompleted !== true && isWholeTool(change.override)) {
      added.push({ ...change, override: change.override, name: nameOf(change.key) });
      continue;
    }
    const isOwn = change?.override.endpoint !== undefined;
    const off = isOwn ? undefined : offBeside(service);
    if (off !== undefined) {
      const key = displayKey(service.service);
      notes.push({
        where: `Service ${key}`,
        what: off,
        fix: `if you want it, write enabled: true under tools, ${key}`,
      });
      continue;
    }
    if (service.verdict.health === 'unhealthy' && !isOwn) continue;
    if (waiting.has(service) && change?.isCompleted !== true) {
      if (isOwn) notes.push(untypedNote(service));
      continue;
    }
    const named = discoveredTool(service);
    // A person's tool that has the name of one of another cluster takes its place.
    if (service.service.cluster !== HOME_CLUSTER && reserved.has(defaultName(service.service))) continue;
    const tool = reserved.has(named.tool.toLowerCase())
      ? { ...named, tool: defaultName(service.service) }
      : named;
    tools.push(change === undefined || isEmpty(change.override) ? tool : changed(tool, change, kinds));
  }
  const written = added.filter(({ isCompleted }) => isCompleted !== true);
  const keys = ownKeys(written, overrides.holmesgpt.mcp_servers ?? {}, notes);
  for (const each of added) {
    if (each.override.enabled === false) continue;
    tools.push(personalTool(each.override, each.name, keys.get(each) ?? slashed(each.key), undefined, kinds));
  }
  return { tools: tools.sort((a, b) => compareText(a.tool, b.tool)), notes };
}

/** What to tell of a person's URL whose type only a Service that nobody approved names. */
const untypedNote = ({ service, type }: DiscoveredService): Problem => ({
  where: `overrides.yaml, tool ${displayKey(service)}`,
  what: `has a URL and is not published: its type is not known, since its Service may not be published as ${type}`,
  fix: 'give it a type, for example type: loki',
});

const isEmpty = (override: ToolOverride): boolean => Object.keys(override).length === 0;
