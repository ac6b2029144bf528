import type { Tool } from '../../../planning/tools.ts';

/**
 * The prefix that HolmesGPT adds to a tool's name if several servers have a tool of that name.
 * Source: HolmesGPT 0.45.0, `collision_safe_name` in `plugins/toolsets/mcp/toolset_mcp.py`.
 */
const prefixOf = (key: string): string => key.replace(/[^a-zA-Z0-9]+/g, '_').replace(/^_+|_+$/g, '');

/** Each prefix of a name that ends before two underscores. */
function* beginnings(name: string): Generator<string> {
  for (let at = name.indexOf('__'); at >= 0; at = name.indexOf('__', at + 1)) yield name.slice(0, at);
}

/**
 * The MCP servers whose tools HolmesGPT would confuse with those of another server, by key, with the reason. Of two tools
 * with one name HolmesGPT offers the last one, so it could replace the tool that users know.
 * @param servers in the order of their claim to names
 * @param others the names of hand-written servers
 */
export function clashing(servers: readonly Tool[], others: Iterable<string>): Map<string, string> {
  const owners = new Map<string, string>();
  for (const key of others) owners.set(prefixOf(key), key);
  const clashes = new Map<string, string>();
  for (const { key } of servers) {
    const prefix = prefixOf(key);
    const owner = owners.get(prefix);
    if (owner === undefined) owners.set(prefix, key);
    else if (owner !== key)
      clashes.set(key, `HolmesGPT would give its tools the same names as those of the server ${owner}`);
  }
  for (const { key, verdict } of servers) {
    const names = (verdict.tools ?? []).flatMap(({ name }) => [...beginnings(name)]);
    const victim = names
      .map((name) => owners.get(name))
      .find((owner) => owner !== undefined && owner !== key);
    if (victim !== undefined && !clashes.has(key))
      clashes.set(key, `a tool of it has the name that HolmesGPT gives to one of the server ${victim}`);
  }
  return clashes;
}
