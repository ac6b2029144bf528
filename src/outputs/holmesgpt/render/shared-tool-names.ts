import type { Problem } from '../../../model/discovery.ts';
import { quoted } from '../../../model/text.ts';
import type { Tool } from '../../../planning/tools.ts';

/** Maximum number of tool names, and of other servers, in one message. */
const FEW = 3;

const listed = (items: readonly string[]): string =>
  items.length > FEW ? `${items.slice(0, FEW).join(', ')} and ${items.length - FEW} more` : items.join(', ');

/**
 * The MCP servers that have a tool name in common with a server before them. HolmesGPT then offers the tool of each server
 * as `SERVER__TOOL`, so the plain name, which prompts or runbooks may use, disappears.
 * Source: HolmesGPT 0.45.0, `resolve_tool_name_collisions` in `core/tools_utils/tool_executor.py`.
 * @param servers in the order of their claim to names
 */
export function sharedToolNames(servers: readonly Tool[]): Problem[] {
  const owners = new Map<string, string>();
  return servers.flatMap(({ key, verdict }): Problem[] => {
    const names: string[] = [];
    const others = new Set<string>();
    for (const { name } of verdict.tools ?? []) {
      const owner = owners.get(name);
      if (owner === undefined) owners.set(name, key);
      else if (owner !== key) {
        names.push(quoted(name, 64));
        others.add(owner);
      }
    }
    if (names.length === 0) return [];
    return [
      {
        where: `Service ${key}`,
        what: `has tools with the names of tools of ${listed([...others])}, so HolmesGPT offers those of each server as SERVER__TOOL: ${listed(names)}`,
        fix: 'if you know one of them by its plain name, switch the other server off',
      },
    ];
  });
}
