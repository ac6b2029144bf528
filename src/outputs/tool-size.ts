import { endpointUrl } from '../model/discovery.ts';
import { describe } from '../planning/description.ts';
import type { Tool } from '../planning/tools.ts';
import { approvalRequired } from './holmesgpt/approval.ts';
import { entryOf } from './holmesgpt/mapping.ts';
import { toolJson } from './toolset-json/toolset-json.ts';

const bytes = (text: string): number => Buffer.byteLength(text);

/** What an entry of YAML takes beside its texts: indentation, keys and quotes. */
const LINE = 16;

/** About how many bytes a tool takes in `custom_toolset.yaml`. */
function yamlBytes(tool: Tool): number {
  const { endpoint } = tool;
  const holmes = entryOf(tool);
  const url = bytes(endpointUrl(endpoint)) + LINE;
  if ('mcp' in holmes) {
    const globs = tool.added === true ? [] : approvalRequired(tool.verdict);
    const approval = globs.reduce((sum, glob) => sum + bytes(glob) + LINE, 0);
    return url + bytes(tool.key) + bytes(describe(tool)) + approval + 120;
  }
  if ('http' in holmes) {
    const paths = holmes.http.paths.map((path) => bytes(path) + endpoint.path.length + LINE);
    const own = describe(tool) === tool.kind ? 0 : bytes(describe(tool));
    return 2 * url + bytes(tool.tool) + own + 60 + paths.reduce((sum, each) => sum + each, 0);
  }
  if (!('toolsets' in holmes)) return 0;
  const fields = Object.keys(holmes.config).length;
  return holmes.toolsets.length * (bytes(tool.tool) + LINE + fields * (url + LINE));
}

/** About how many bytes a tool takes in all documents together. */
function toolBytes(tool: Tool): number {
  const json = JSON.stringify(toolJson(tool), null, 2);
  const lines = json.split('\n').length;
  return bytes(json) + 4 * lines + 2 + yamlBytes(tool);
}

export const sizesOf = (tools: readonly Tool[]): Map<Tool, number> =>
  new Map(tools.map((tool) => [tool, toolBytes(tool)]));
