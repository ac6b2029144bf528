import { bareAddress, originOf } from '../../../model/bare-address.ts';
import type { Mappings } from '../../../model/detector.ts';
import type { Toolset } from '../../../model/documents.ts';
import { isMapping, type Mapping } from '../../../model/mapping.ts';
import type { PublishedTool } from '../../../model/published-tools.ts';
import { addressesOf } from '../contract/shape.ts';
import { isUnconfigured } from '../render/entries.ts';
import { entryOf } from '../render/mapping.ts';
import { own } from '../yaml.ts';
import { entriesIn, entriesOf, type ListedEntry } from './listed-entries.ts';
import { isSwitchedOff } from './restrictions.ts';

/** The backends in a toolset's configuration: itself, and those that it lists. */
function backendsIn(fields: Mapping): readonly Mapping[] {
  const config = own(fields, 'config');
  return isMapping(config) ? [config, ...Object.values(config).flat().filter(isMapping)] : [];
}

/** What the entries that HolmesGPT uses lead to. */
interface Content {
  /** Names of toolsets. */
  readonly toolsets: ReadonlySet<string>;
  /** Names of MCP servers. */
  readonly servers: ReadonlySet<string>;
  readonly places: ReadonlySet<string>;
  /** Those of HTTP toolsets, whose hosts have no path. */
  readonly origins: ReadonlySet<string>;
}

function contentOf(entries: readonly ListedEntry[]): Content {
  const toolsets = new Set<string>();
  const servers = new Set<string>();
  const places = new Set<string>();
  const origins = new Set<string>();
  for (const { section, name, fields, url } of entries) {
    if (fields === null || isSwitchedOff(fields)) continue;
    (section === 'toolsets' ? toolsets : servers).add(name);
    if (url !== undefined) places.add(bareAddress(url));
    const isHttp = own(fields, 'type') === 'http';
    for (const address of backendsIn(fields).flatMap(addressesOf))
      if (isHttp) origins.add(originOf(address));
      else places.add(bareAddress(address));
  }
  return { toolsets, servers, places, origins };
}

/** Whether a document contains a tool. */
type Contains = (
  tool: Pick<PublishedTool, 'endpoint' | 'namespace' | 'metadata'>,
  mappings?: Mappings,
) => boolean;

/**
 * Whether a published `custom_toolset.yaml` contains a tool: an entry that HolmesGPT uses has its address. A server that
 * overrides lead elsewhere keeps its name. A toolset without an address counts for all tools of its kind.
 * @param mappings of the tool's detector; absent: unknown
 */
export const containsIn = (toolset: Toolset): Contains => contains(() => entriesIn(toolset));

/** The same for a document that is not published. */
export const containsInDocument = (document: Mapping): Contains =>
  contains(() => entriesOf(document, () => []));

function contains(entries: () => readonly ListedEntry[]): Contains {
  let content: Content | undefined;
  return ({ endpoint, namespace, metadata }, mappings = {}) => {
    content ??= contentOf(entries());
    const { toolsets, servers, places, origins } = content;
    const holmes = entryOf({ mappings });
    if ('toolsets' in holmes && isUnconfigured(holmes))
      return holmes.toolsets.some((name) => toolsets.has(name));
    const isServer = 'mcp' in holmes && servers.has(`${namespace}/${metadata.service}`);
    return isServer || places.has(bareAddress(endpoint)) || origins.has(originOf(endpoint));
  };
}
