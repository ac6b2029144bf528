import type { McpTool, Verdict } from '../model/discovery.ts';
import { quoted } from '../model/text.ts';

type Listed = Pick<Verdict, 'tools' | 'toolsTruncated'>;

/** Most tools of one server in a summary. */
const FEW = 5;

/** `12 tools`, or `more than 40 tools` where the list was too large to be read whole; undefined: they are not known. */
export function toolCount({ tools, toolsTruncated }: Listed): string | undefined {
  if (tools === undefined) return undefined;
  if (toolsTruncated === true) return `more than ${tools.length} tools`;
  return tools.length === 0 ? 'no tools' : `${tools.length} tool${tools.length === 1 ? '' : 's'}`;
}

const inShort = ({ name, readOnly }: McpTool): string =>
  `${quoted(name, 64)}${readOnly ? ' (read-only)' : ''}`;

/** `2 tools: cancel_order, get_order (read-only)`, with the first five of more; empty where they are not known. */
export function toolsInShort(verdict: Listed): string {
  const { tools = [] } = verdict;
  const count = toolCount(verdict) ?? '';
  if (tools.length === 0) return count;
  const isPart = tools.length > FEW || verdict.toolsTruncated === true;
  const first = isPart ? `, the first ${Math.min(FEW, tools.length)} by name` : '';
  return `${count}${first}: ${tools.slice(0, FEW).map(inShort).join(', ')}`;
}

/** Why a list of tools is not whole, and what follows from that. */
const TOO_LARGE =
  'the list was too large to be read whole (of one server 512 tools, 8 pages, 256 KiB and 8 KiB of names are read), so HolmesGPT asks before each tool, and the server counts as more tools than MAX_AGENT_TOOLS';

/**
 * The tools of a server for a person who decides on it, a line each.
 * @param most most tools that are shown
 */
export function toolLines(verdict: Listed, most: number): string[] {
  const { tools = [], toolsTruncated } = verdict;
  const lines = tools
    .slice(0, most)
    .map(({ name, readOnly }) => `${readOnly ? 'read-only   ' : 'may change  '}  ${quoted(name, 128)}`);
  if (tools.length > most)
    lines.push(`(the first ${most} of ${tools.length} by name; -o json shows all that were read)`);
  if (toolsTruncated === true) lines.push(`(the server has more tools: ${TOO_LARGE})`);
  return lines;
}
