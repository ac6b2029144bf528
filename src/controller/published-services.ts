import type { DiscoveredService } from '../model/discovery.ts';
import { displayKey, HOME_CLUSTER } from '../model/key.ts';
import { addressedService, NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import { objectName } from '../model/part.ts';
import { HOSTS, type PublishedTool } from '../model/published-tools.ts';
import { serviceOfHost } from '../model/service-host.ts';
import { readOverrides } from '../outputs/read-overrides.ts';
import { ownNames } from '../planning/own-names.ts';
import type { ToolKind } from '../planning/tools.ts';
import { approximateServices } from './held.ts';

/** The kinds of backends, by type. */
export type Kinds = ReadonlyMap<string, ToolKind>;

/** Published tools, and the overrides with which they were made. */
export interface Made {
  readonly tools: readonly PublishedTool[];
  readonly overrides: string | undefined;
}

/** What is behind published tools. */
export interface Behind {
  readonly services: readonly DiscoveredService[];
  /** Users' own tools. */
  readonly own: readonly PublishedTool[];
}

const hostsOf = ({ metadata }: PublishedTool): readonly string[] => metadata[HOSTS]?.split(',') ?? [];

/**
 * The kind of a tool before overrides, as far as it is known; `undefined` for an annotated Service. An unknown type is from a
 * detector that is unknown here, unless only the owner's annotation names it.
 */
function kindOf(tool: PublishedTool, known: Kinds, isRetyped: boolean): ToolKind | undefined {
  const { type, metadata } = tool;
  const isMcp = metadata[HOSTS] !== undefined;
  const isAnnotated = metadata.certainty === 'annotation';
  if (isMcp || (!known.has(type) && !isAnnotated)) return { description: '', mappings: {}, mcp: isMcp };
  return isAnnotated && isRetyped ? undefined : known.get(type);
}

/** The host of a tool's endpoint. */
const endpointHost = ({ endpoint }: PublishedTool): string => URL.parse(endpoint)?.hostname ?? '';

/**
 * The namespace of the Service behind a tool. Overrides may publish another one, but the first host of an MCP server is its
 * own, and most endpoints have the name of the Service.
 */
function namespaceOf(tool: PublishedTool): string | undefined {
  const first = serviceOfHost(hostsOf(tool)[0] ?? '');
  if (first !== undefined) return first.namespace;
  const named =
    (tool.cluster ?? HOME_CLUSTER) === HOME_CLUSTER ? serviceOfHost(endpointHost(tool)) : undefined;
  const own = objectName({ name: tool.metadata.service ?? '' });
  return named?.name === own ? named.namespace : tool.namespace;
}

function overridesIn(text: string | undefined): Overrides {
  const read = readOverrides(text);
  return 'value' in read ? read.value : NO_OVERRIDES;
}

/** The Services whose type overrides replace. */
function retypedIn({ tools }: Overrides): ReadonlySet<string> {
  const keys = Object.keys(tools).filter((key) => tools[key]?.type !== undefined);
  return new Set(keys.flatMap((key) => addressedService(key) ?? []).map(displayKey));
}

/** A Service with the other Services to which it leads, as its published hosts and endpoint show. */
function withNeighbours(found: DiscoveredService, tool: PublishedTool): DiscoveredService {
  const { cluster, namespace, name } = found.service;
  if (cluster !== HOME_CLUSTER) return found;
  const known = new Set([name, objectName({ name }), ...found.alternates]);
  const sharesPods: string[] = [];
  const targets: string[] = [];
  for (const host of new Set([...hostsOf(tool), endpointHost(tool)])) {
    const there = serviceOfHost(host);
    if (host === '') continue;
    if (there?.namespace !== namespace) targets.push(host);
    else if (!known.has(there.name)) sharesPods.push(there.name);
  }
  return { ...found, sharesPods, targets };
}

/** The Services and users' own tools behind published tools, approximately: a tool does not have all that was discovered. */
export function behind({ tools, overrides }: Made, kinds: Kinds): Behind {
  const given = overridesIn(overrides);
  const [retyped, named] = [retypedIn(given), ownNames(given)];
  const isOwn = ({ name, metadata }: PublishedTool): boolean =>
    metadata.service === undefined || named.has(name);
  const services = tools
    .filter((tool) => !isOwn(tool))
    .flatMap((published) => {
      const namespace = namespaceOf(published);
      const tool = namespace === undefined ? published : { ...published, namespace };
      const kind = kindOf(tool, kinds, retyped.has(`${namespace}/${tool.metadata.service}`));
      const known: Kinds = new Map(kind === undefined ? [] : [[tool.type, kind]]);
      return [...approximateServices([tool], [tool.name], known).values()].map((found) =>
        withNeighbours(found, tool),
      );
    });
  return { services, own: tools.filter(isOwn) };
}
