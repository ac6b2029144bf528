import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { HOLMES, own } from '../contract/models.ts';
import counts from '../tools.json' with { type: 'json' };

/** Maximum number of tools of each built-in toolset; `npm run holmes-schema` reads it from the package. */
const TOOLSETS: Readonly<Record<string, number>> = counts.toolsets;
const KINDS: Readonly<Record<string, number>> = counts.kinds;

const isOn = (entry: unknown, preset: boolean): boolean =>
  isMapping(entry) && typeof entry.enabled === 'boolean' ? entry.enabled : preset;

function instancesOf(entry: unknown): number {
  const config = isMapping(entry) && isMapping(entry.config) ? entry.config : {};
  return Array.isArray(config.instances) ? config.instances.length : 0;
}

/** With several instances, one more tool lists them. */
const hasSeveral = (entry: unknown): boolean => instancesOf(entry) > 1;

function toolsOfEntry(name: string, entry: unknown): number {
  const builtIn = own(TOOLSETS, name);
  if (builtIn !== undefined) return builtIn + (hasSeveral(entry) ? 1 : 0);
  if (!isMapping(entry)) return 0;
  if (Array.isArray(entry.tools)) return entry.tools.length;
  return own(KINDS, String(entry.type)) ?? 0;
}

/** Whether HolmesGPT's server loads a built-in toolset that the document does not mention. */
export function isDefault(name: string): boolean {
  const model = own(HOLMES.toolsets, name);
  return model?.enabled === true && model.tags.some((tag) => counts.serverTags.includes(tag));
}

/** The size of one toolset that the model is offered. */
export interface ToolsetSize {
  readonly tools: number;
  /** Number of instances in its configuration. */
  readonly instances: number;
}

/**
 * The toolsets, without MCP servers, that HolmesGPT's server offers to the model with a document: built-in ones that are
 * enabled by default, and those that the document enables.
 */
export function toolsetSizes(document: Mapping): Map<string, ToolsetSize> {
  const toolsets = isMapping(document.toolsets) ? document.toolsets : {};
  const sizes = new Map<string, ToolsetSize>();
  for (const [name, tools] of Object.entries(TOOLSETS))
    if (isDefault(name) && !Object.hasOwn(toolsets, name)) sizes.set(name, { tools, instances: 0 });
  for (const [name, entry] of Object.entries(toolsets))
    if (isOn(entry, !Object.hasOwn(TOOLSETS, name)))
      sizes.set(name, { tools: toolsOfEntry(name, entry), instances: instancesOf(entry) });
  return sizes;
}

/** The number of tools in these toolsets. */
export const ownTools = (document: Mapping): number =>
  [...toolsetSizes(document).values()].reduce((sum, { tools }) => sum + tools, 0);

/** The MCP servers that a document enables. */
export function serversOf(document: Mapping): string[] {
  const servers = isMapping(document.mcp_servers) ? document.mcp_servers : {};
  return Object.keys(servers).filter((name) => isOn(servers[name], true));
}
