import { HOLMES, own } from './holmes-models.ts';
import counts from './holmes-tools.json' with { type: 'json' };
import { isMapping, type Mapping } from './model-check.ts';

/** How many tools a toolset of HolmesGPT offers at most; read from the package by `npm run holmes-schema`. */
const TOOLSETS: Readonly<Record<string, number>> = counts.toolsets;
const KINDS: Readonly<Record<string, number>> = counts.kinds;

const isOn = (entry: unknown, preset: boolean): boolean =>
  isMapping(entry) && typeof entry.enabled === 'boolean' ? entry.enabled : preset;

/** With several instances there is one more tool, which lists them. */
function hasSeveral(entry: unknown): boolean {
  const config = isMapping(entry) && isMapping(entry.config) ? entry.config : {};
  return Array.isArray(config.instances) && config.instances.length > 1;
}

function toolsOfEntry(name: string, entry: unknown): number {
  const builtIn = own(TOOLSETS, name);
  if (builtIn !== undefined) return builtIn + (hasSeveral(entry) ? 1 : 0);
  if (!isMapping(entry)) return 0;
  if (Array.isArray(entry.tools)) return entry.tools.length;
  return own(KINDS, String(entry.type)) ?? 0;
}

/** Whether HolmesGPT's server loads a built-in toolset of which the document says nothing. */
function isDefault(name: string): boolean {
  const model = own(HOLMES.toolsets, name);
  return model?.enabled === true && model.tags.some((tag) => counts.serverTags.includes(tag));
}

/**
 * How many tools HolmesGPT's server offers to the model with a document, without those of MCP servers: its own that are on
 * where nothing is said, and those that the document switches on.
 */
export function ownTools(document: Mapping): number {
  const toolsets = isMapping(document.toolsets) ? document.toolsets : {};
  const defaults = Object.keys(TOOLSETS).filter((name) => isDefault(name) && !Object.hasOwn(toolsets, name));
  const named = Object.entries(toolsets).filter(([name, entry]) =>
    isOn(entry, !Object.hasOwn(TOOLSETS, name)),
  );
  return (
    defaults.reduce((sum, name) => sum + (TOOLSETS[name] ?? 0), 0) +
    named.reduce((sum, [name, entry]) => sum + toolsOfEntry(name, entry), 0)
  );
}

/** The MCP servers that a document switches on. */
export function serversOf(document: Mapping): string[] {
  const servers = isMapping(document.mcp_servers) ? document.mcp_servers : {};
  return Object.keys(servers).filter((name) => isOn(servers[name], true));
}
